// OneNET's side of a token: taken apart and recomputed from the documentation, with an HMAC of its own (RFC 2104), so
// that nothing is shared with what makes tokens.
import { createHash } from 'node:crypto';

export interface TokenFields {
  readonly version: string;
  readonly res: string;
  readonly et: string;
  readonly method: string;
  readonly sign: string;
}

const names = ['version', 'res', 'et', 'method', 'sign'];

/** The values of a token, each decoded once; a text where it is malformed. */
export function readToken(token: string): TokenFields | string {
  const fields = new Map<string, string>();
  for (const pair of token.split('&')) {
    const [name = '', value, ...more] = pair.split('=');
    if (value === undefined || more.length > 0) return `${name}: not name=value`;
    if (!names.includes(name) || fields.has(name)) return `${name}: unknown or doubled`;
    // The characters that the documentation has encoded; % only as the beginning of a code.
    if (/[+ /?#&=]|%(?![0-9A-Fa-f]{2})/.test(value)) return `${name}: not encoded`;
    fields.set(name, decodeURIComponent(value));
  }
  const missing = names.find((name) => !fields.has(name));
  return missing === undefined ? (Object.fromEntries(fields) as never) : `${missing}: missing`;
}

export interface Expected {
  /** Resources that it may be for, with the base64 key of each. */
  readonly keys: ReadonlyMap<string, string>;
  readonly nowSeconds: number;
}

/** Why the platform would not take a token, or undefined. */
export function tokenRefusal(token: string, { keys, nowSeconds }: Expected): string | undefined {
  const fields = readToken(token);
  if (typeof fields === 'string') return fields;
  const { version, res, et, method, sign } = fields;
  if (version !== '2018-10-31') return 'version';
  if (!['md5', 'sha1', 'sha256'].includes(method)) return 'method';
  const key = keys.get(res);
  if (key === undefined) return 'res';
  if (!/^\d{1,12}$/.test(et) || Number(et) <= nowSeconds) return 'et';
  const text = `${et}\n${method}\n${res}\n${version}`;
  return hmac(method, Buffer.from(key, 'base64'), text) === sign ? undefined : 'sign';
}

/** Block size of all three hashes. */
const blockBytes = 64;

function hmac(method: string, key: Buffer, text: string): string {
  const short = key.length > blockBytes ? createHash(method).update(key).digest() : key;
  const padded = Buffer.concat([short, Buffer.alloc(blockBytes - short.length)]);
  const inner = createHash(method)
    .update(padded.map((byte) => byte ^ 0x36))
    .update(text)
    .digest();
  return createHash(method)
    .update(padded.map((byte) => byte ^ 0x5c))
    .update(inner)
    .digest('base64');
}
