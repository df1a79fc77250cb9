// SigV4, held to a second implementation, which is held to vectors of AWS's published test suite.
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { awsSigner } from '../../../bridge/handler/aws-signing.ts';
import type { HandlerRequest } from '../../../bridge/handler/request.ts';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { until } from '../../support/wait.ts';

interface Signed {
  readonly method: string;
  readonly path: string;
  /** Canonical: sorted, encoded. */
  readonly query: string;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly service: string;
  readonly region: string;
  readonly secretAccessKey: string;
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();

function signatureOf(request: Signed): string {
  const { method, path, query, headers, body, service, region, secretAccessKey } = request;
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    path,
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
  const time = headers['x-amz-date'] ?? '';
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secretAccessKey}`, date));
  return hmac(key, text).toString('hex');
}

const example = {
  path: '/',
  service: 'service',
  region: 'us-east-1',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const exampleHeaders = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' };

test.each([
  [
    'get-vanilla-query-order-key-case',
    {
      method: 'GET',
      query: 'Param1=value1&Param2=value2',
      headers: exampleHeaders,
      body: '',
    },
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'post-x-www-form-urlencoded',
    {
      method: 'POST',
      query: '',
      headers: { ...exampleHeaders, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Param1=value1',
    },
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
])('the check agrees with AWS on %s', (_, request, signature) => {
  expect(signatureOf({ ...example, ...request })).toBe(signature);
});

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'role' };
const url = 'https://abc.lambda-url.eu-central-1.on.aws';

function requestTo(target: string, body = Buffer.from('[]')): HandlerRequest {
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  return { method: 'POST', url: new URL(target), headers, body };
}

function parts(authorization: string | undefined) {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      authorization ?? '',
    );
  const [, credential = '', names = '', signature = ''] = match ?? [];
  return { credential, names: names.split(';'), signature };
}

test.each([
  ['a function URL', `${url}/`, '/', ''],
  ['its query', `${url}/?retentionDays=7`, '/', 'retentionDays=7'],
  ['a query out of order', `${url}/?b=2&a=%C3%A9&b=1`, '/', 'a=%C3%A9&b=1&b=2'],
  ['a path, encoded twice', `${url}/a%20b/c`, '/a%2520b/c', ''],
  [
    'an invocation',
    'https://lambda.eu-central-1.amazonaws.com.cn/2015-03-31/functions/arn%3Aaws-cn/invocations',
    '/2015-03-31/functions/arn%253Aaws-cn/invocations',
    '',
  ],
])('signs %s', async (_, target, path, query) => {
  const signer = awsSigner(target, { credentials, region: 'us-west-2' });
  const body = Buffer.from([0x5b, 0xff, 0x00, 0x5d]);
  const headers = await signer.headers(requestTo(target, body));
  const { credential, names, signature } = parts(headers['authorization']);
  expect(names).toEqual([
    'content-type',
    'host',
    'x-amz-content-sha256',
    'x-amz-date',
    'x-amz-security-token',
  ]);
  expect(headers).toMatchObject({
    host: new URL(target).host,
    'content-type': 'application/cloudevents-batch+json',
    'x-amz-content-sha256': sha256(body),
    'x-amz-security-token': 'role',
  });
  expect(credential).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-central-1\/lambda\/aws4_request$/);
  expect(signature).toBe(
    signatureOf({
      method: 'POST',
      path,
      query,
      headers: Object.fromEntries(names.map((name) => [name, headers[name] ?? ''])),
      body,
      service: 'lambda',
      region: 'eu-central-1',
      secretAccessKey: credentials.secretAccessKey,
    }),
  );
});

test('the region is that of the environment where the host has none, and credentials are asked for each time', async () => {
  let accessKeyId = 'FIRST';
  const signer = awsSigner('http://127.0.0.1:8000/', {
    credentials: async () => ({ ...credentials, accessKeyId }),
    region: async () => 'eu-north-1',
  });
  const credentialOf = async () =>
    parts((await signer.headers(requestTo('http://127.0.0.1:8000/')))['authorization']).credential;
  expect(await credentialOf()).toMatch(/^FIRST\/\d{8}\/eu-north-1\//);
  accessKeyId = 'SECOND';
  expect(await credentialOf()).toMatch(/^SECOND\//);
});

test('the credentials of a task role are asked for once, until they are about to expire', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        AccessKeyId: `ROLE${++asked}`,
        SecretAccessKey: 'secret',
        Token: 'token',
        Expiration: new Date(Date.now() + (asked === 1 ? 60_000 : 6 * 3_600_000)).toISOString(),
      }),
    );
  });
  const port = await listenDuringTest(server);
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/role`);
  const signer = awsSigner(`${url}/`);
  const credentialOf = async () => {
    const headers = await signer.headers(requestTo(`${url}/`));
    expect(headers['x-amz-security-token']).toBe('token');
    return parts(headers['authorization']).credential;
  };
  expect(await credentialOf()).toMatch(/^ROLE1\//);
  await until(async () => (await credentialOf()).startsWith('ROLE2/'));
  for (let count = 0; count < 20; count++) await credentialOf();
  expect(asked).toBe(2);
});
