// AWS Signature Version 4 with node:crypto alone: signs, and checks what others signed.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface CredentialScope {
  readonly region: string;
  readonly service: string;
}

/** How far the clock of the caller may be away. */
const maxSkewMs = 5 * 60_000;

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();

/** The access key of a request, or undefined where it is not signed. */
export function accessKeyOf({ headers }: Pick<SignedRequest, 'headers'>): string | undefined {
  return /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(String(headers['authorization']))?.[1];
}

/** Why the signature is not one of these credentials, or undefined where it is. */
export function signatureFault(
  request: SignedRequest,
  credentials: Credentials,
  { region, service }: CredentialScope,
  nowMs = Date.now(),
): string | undefined {
  const { headers } = request;
  const [, accessKey, scope = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      String(headers['authorization']),
    ) ?? [];
  const time = String(headers['x-amz-date']);
  const signed = names.split(';');
  if (accessKey !== credentials.accessKeyId) return 'another access key';
  if (scope !== `${time.slice(0, 8)}/${region}/${service}/aws4_request`) return `scope ${scope}`;
  if (headers['x-amz-security-token'] !== credentials.sessionToken) return 'session token';
  const skewMs = Math.abs(nowMs - timeMsOf(time));
  if (!(skewMs <= maxSkewMs)) return `time ${time}`;
  const amazon = Object.keys(headers).filter((name) => name.startsWith('x-amz-'));
  for (const name of ['host', ...amazon])
    if (!signed.includes(name)) return `${name} is not signed`;
  const declared = headers['x-amz-content-sha256'];
  if (declared !== undefined && declared !== sha256(request.body)) return 'hash of the body';
  const expected = signatureOf(request, credentials.secretAccessKey, { scope, time, signed });
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature)) ? undefined : 'signature';
}

/** The headers of a request with those that sign it. */
export function signedHeaders(
  request: SignedRequest,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  { region, service }: CredentialScope,
  nowMs = Date.now(),
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const headers = {
    ...(request.headers as Record<string, string>),
    'x-amz-date': time,
    ...(sessionToken !== '' && { 'x-amz-security-token': sessionToken }),
  };
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signed = Object.keys(headers).sort();
  const signature = signatureOf({ ...request, headers }, secretAccessKey, { scope, time, signed });
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}

interface Parts {
  readonly scope: string;
  readonly time: string;
  readonly signed: readonly string[];
}

function signatureOf(request: SignedRequest, secret: string, { scope, time, signed }: Parts) {
  const { method, target, headers, body } = request;
  const [path = '/', query = ''] = target.split(/\?(.*)/s);
  const canonical = [
    method,
    // Every service but S3 encodes what is encoded once more.
    path.split('/').map(encoded).join('/'),
    canonicalQuery(query),
    ...signed.map((name) => `${name}:${headerValue(headers[name])}`),
    '',
    signed.join(';'),
    sha256(body),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString('hex');
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query.replaceAll('+', '%2B'))]
    .map(([name, value]) => [encoded(name), encoded(value)])
    .sort(([a = '', av = ''], [b = '', bv = '']) => compare(a, b) || compare(av, bv))
    .map((pair) => pair.join('='))
    .join('&');
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const headerValue = (value: string | string[] | undefined) =>
  [value].flat().join(',').trim().replaceAll(/ +/g, ' ');

function timeMsOf(time: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time)?.slice(1) ?? [];
  const [year, month, day, ...clock] = parts;
  return Date.parse(`${year}-${month}-${day}T${clock.join(':')}Z`);
}
