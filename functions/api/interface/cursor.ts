// Cursors: where a list goes on, for nobody to read or change, and good for one list of one caller alone.
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { derivedSecret } from '../../contract/secret.ts';

export interface Cursors {
  /** A cursor that goes on after `key` in `list`, a text that names the list, its parameters and the caller. */
  encode(list: string, key: string): Promise<string>;
  /** The key in a cursor, or undefined where it is malformed, changed, or of another list. */
  decode(list: string, cursor: string): Promise<string | undefined>;
}

/** Of at least 16 bytes; or where it comes from. */
export type CursorSecret = string | (() => Promise<string>);

const tagBytes = 16;

/**
 * Cursors under a secret of at least 16 bytes, which all instances of the api have in common: with another secret
 * they are refused. The HMAC of list and key is the tag and also the initialization vector under which the key is
 * encrypted (the construction of SIV, RFC 5297): a list may end its page at an entry that the caller may not see.
 */
export function createCursors(secret: CursorSecret): Cursors {
  // A known one is checked at once.
  let opened = typeof secret === 'string' ? { secret, keys: keysOf(secret) } : undefined;
  async function keysNow(): Promise<Keys> {
    const now = typeof secret === 'string' ? secret : await secret();
    if (opened?.secret !== now) opened = { secret: now, keys: keysOf(now) };
    return opened.keys;
  }

  return {
    async encode(list, key) {
      const { macKey, cipherKey } = await keysNow();
      const plain = Buffer.from(key, 'utf8');
      const tag = tagOf(macKey, list, plain);
      const cipher = createCipheriv('aes-256-ctr', cipherKey, tag);
      return Buffer.concat([tag, cipher.update(plain), cipher.final()]).toString('base64url');
    },
    async decode(list, cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      if (bytes.length <= tagBytes || bytes.toString('base64url') !== cursor) return undefined;
      const { macKey, cipherKey } = await keysNow();
      const tag = bytes.subarray(0, tagBytes);
      const decipher = createDecipheriv('aes-256-ctr', cipherKey, tag);
      const plain = Buffer.concat([decipher.update(bytes.subarray(tagBytes)), decipher.final()]);
      return timingSafeEqual(tagOf(macKey, list, plain), tag) ? plain.toString('utf8') : undefined;
    },
  };
}

interface Keys {
  readonly macKey: Buffer;
  readonly cipherKey: Buffer;
}

function keysOf(secret: string): Keys {
  if (Buffer.byteLength(secret) < 16)
    throw new Error('the secret of cursors must have at least 16 bytes');
  return {
    macKey: derivedSecret(secret, 'cursor tag'),
    cipherKey: derivedSecret(secret, 'cursor key'),
  };
}

/** The length in front keeps apart what belongs to the list and what to the key. */
function tagOf(macKey: Buffer, list: string, key: Buffer): Buffer {
  return createHmac('sha256', macKey)
    .update(`${Buffer.byteLength(list)}\n${list}\n`)
    .update(key)
    .digest()
    .subarray(0, tagBytes);
}
