// Cursors: where a list goes on, for nobody to read or change, and good for one list of one caller alone.
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { derivedSecret } from '../../contract/secret.ts';

export interface Cursors {
  /** A cursor that goes on after `key` in `list`, a text that names the list, its parameters and the caller. */
  encode(list: string, key: string): string;
  /** The key in a cursor, or undefined where it is malformed, changed, or of another list. */
  decode(list: string, cursor: string): string | undefined;
}

const tagBytes = 16;

/**
 * Cursors under a secret of at least 16 bytes, which all instances of the api have in common: with another secret
 * they are refused. The HMAC of list and key is the tag and also the initialization vector under which the key is
 * encrypted (the construction of SIV, RFC 5297): a list may end its page at an entry that the caller may not see.
 */
export function createCursors(secret: string): Cursors {
  if (Buffer.byteLength(secret) < 16)
    throw new Error('the secret of cursors must have at least 16 bytes');
  const macKey = derivedSecret(secret, 'cursor tag');
  const cipherKey = derivedSecret(secret, 'cursor key');

  // The length in front keeps apart what belongs to the list and what to the key.
  const tagOf = (list: string, key: Buffer): Buffer =>
    createHmac('sha256', macKey)
      .update(`${Buffer.byteLength(list)}\n${list}\n`)
      .update(key)
      .digest()
      .subarray(0, tagBytes);

  return {
    encode(list, key) {
      const plain = Buffer.from(key, 'utf8');
      const tag = tagOf(list, plain);
      const cipher = createCipheriv('aes-256-ctr', cipherKey, tag);
      return Buffer.concat([tag, cipher.update(plain), cipher.final()]).toString('base64url');
    },
    decode(list, cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      if (bytes.length <= tagBytes || bytes.toString('base64url') !== cursor) return undefined;
      const tag = bytes.subarray(0, tagBytes);
      const decipher = createDecipheriv('aes-256-ctr', cipherKey, tag);
      const plain = Buffer.concat([decipher.update(bytes.subarray(tagBytes)), decipher.final()]);
      return timingSafeEqual(tagOf(list, plain), tag) ? plain.toString('utf8') : undefined;
    },
  };
}
