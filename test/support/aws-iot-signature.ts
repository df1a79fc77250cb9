// Checks the presigned URL of a WebSocket to AWS IoT Core, with node:crypto alone: "Signature Version 4", query
// parameters, and "IAM users, groups, and roles" on the session token.
import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();

/** Why the upgrade request is not signed by one of `known`, or undefined where it is. */
export function signedUrlFault(
  request: { readonly target: string; readonly host: string },
  known: readonly AwsCredentials[],
  region: string,
  nowMs = Date.now(),
): string | undefined {
  const [path, query = ''] = request.target.split('?');
  if (path !== '/mqtt') return `path ${path}`;
  const pairs = query.split('&').map((pair) => pair.split('='));
  const value = (name: string) =>
    decodeURIComponent(pairs.find(([key]) => key === name)?.[1] ?? '');
  const time = value('X-Amz-Date');
  const [accessKeyId, ...scope] = value('X-Amz-Credential').split('/');
  const credentials = known.find((one) => one.accessKeyId === accessKeyId);
  if (credentials === undefined) return `access key ${accessKeyId}`;
  if (value('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return 'algorithm';
  const wanted = [time.slice(0, 8), region, 'iotdevicegateway', 'aws4_request'];
  if (scope.join('/') !== wanted.join('/')) return `scope ${scope.join('/')}`;
  if (value('X-Amz-SignedHeaders') !== 'host') return 'signed headers';
  if (value('X-Amz-Security-Token') !== credentials.sessionToken) return 'session token';
  const signedAtMs = Date.parse(
    time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  const lifetimeMs = Number(value('X-Amz-Expires') || 300) * 1000;
  if (!(signedAtMs <= nowMs + 300_000)) return 'signed in the future';
  if (nowMs > signedAtMs + lifetimeMs) return 'expired';
  // The token is not among what is signed, and comes after the signature.
  if (pairs.at(-1)?.[0] !== 'X-Amz-Security-Token') return 'the session token is not the last';
  const canonicalQuery = pairs
    .filter(([name]) => name !== 'X-Amz-Signature' && name !== 'X-Amz-Security-Token')
    .map((pair) => pair.join('='))
    .sort()
    .join('&');
  const canonical = ['GET', path, canonicalQuery, `host:${request.host}`, '', 'host', sha256('')];
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical.join('\n'))];
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const expected = hmac(key, text.join('\n')).toString('hex');
  return expected === value('X-Amz-Signature') ? undefined : 'signature';
}
