// Signature Version 4, against the vectors that AWS has published (aws-sig-v4-test-suite).
import { expect, test } from 'vitest';
import { type SignedRequest, signatureFault, signedHeaders } from './rig/sigv4.ts';

const nowMs = Date.UTC(2015, 7, 30, 12, 36, 0);
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: '',
};
const scope = { region: 'us-east-1', service: 'service' };
const vanilla: SignedRequest = {
  method: 'GET',
  target: '/',
  headers: { host: 'example.amazonaws.com' },
  body: Buffer.alloc(0),
};

test.each([
  ['get-vanilla', vanilla, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-vanilla-query-order-key-case',
    { ...vanilla, target: '/?Param2=value2&Param1=value1' },
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'post-vanilla',
    { ...vanilla, method: 'POST' },
    '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  ],
])('%s', (_, request, signature) => {
  const { authorization } = signedHeaders(request, credentials, scope, nowMs);
  expect(authorization).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

test('a request that was changed after it was signed is told from one that was not', () => {
  const own = { ...credentials, sessionToken: 'token' };
  const post = { ...vanilla, method: 'POST', target: '/?a=1', body: Buffer.from('[]') };
  const request = { ...post, headers: signedHeaders(post, own, scope, nowMs) };
  const faultOf = (change: Partial<SignedRequest>, atMs = nowMs) =>
    signatureFault({ ...request, ...change }, own, scope, atMs);
  expect(faultOf({})).toBeUndefined();
  expect(faultOf({ body: Buffer.from('[1]') })).toBe('signature');
  expect(faultOf({ target: '/?a=2' })).toBe('signature');
  expect(faultOf({ method: 'GET' })).toBe('signature');
  expect(faultOf({ headers: { ...request.headers, host: 'elsewhere' } })).toBe('signature');
  expect(faultOf({ headers: { ...request.headers, 'x-amz-more': '1' } })).toBe(
    'x-amz-more is not signed',
  );
  expect(faultOf({}, nowMs + 600_000)).toMatch(/^time/);
  expect(signatureFault(request, own, { ...scope, region: 'us-east-2' }, nowMs)).toMatch(/^scope/);
});
