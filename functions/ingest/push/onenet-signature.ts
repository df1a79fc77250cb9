// How OneNET signs what it pushes, and how it encrypts it: whether a signature holds, and what a text says. Pure.
// Sources: OneNET documentation, "HTTP推送 开发指南" and "数据推送", and the platform's own receivers
// (github.com/cm-heclouds/data-push: one for AES-256 with a key of 43 characters, one for AES-128 with one of 16).
import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto';

export interface Signed {
  readonly nonce: string;
  /** The text that is signed: of a message as it stands in the body, byte for byte. */
  readonly text: string;
  /** Base64, with or without padding. */
  readonly signature: string;
}

/**
 * Whether the platform has signed it: MD5 over token, nonce and text, as it prescribes. Nobody can put more behind a
 * signed text, which MD5 would allow, as the zeros and the 0x80 between would be no JSON and no base64.
 */
export function isSigned(token: string, { nonce, text, signature }: Signed): boolean {
  const expected = createHash('md5').update(token).update(nonce).update(text).digest();
  // In a query, + can have become a space; the platform's own receivers turn it back.
  const given = Buffer.from(signature.replaceAll(' ', '+'), 'base64');
  return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
}

export type Decrypted =
  | { readonly ok: true; readonly text: string }
  /** Another key, or no ciphertext at all: AES without a MAC cannot tell. */
  | { readonly ok: false };

/** The form of a key: 16 characters, or the 43 of an older one, which are 32 bytes in base64 without padding. */
export const aesKeyForm = /^([\x21-\x7e]{16}|[A-Za-z0-9+/]{43})$/;

/** In an older message, 16 random bytes and the length stand before the text. */
const olderHeaderBytes = 20;

/** The text in a ciphertext; `aesKey` must have {@link aesKeyForm}. */
export function decrypt(ciphertextBase64: string, aesKey: string): Decrypted {
  const isOlder = aesKey.length === 43;
  const key = isOlder ? Buffer.from(aesKey, 'base64') : Buffer.from(aesKey, 'latin1');
  const algorithm = isOlder ? 'aes-256-cbc' : 'aes-128-cbc';
  try {
    const decipher = createDecipheriv(algorithm, key, key.subarray(0, 16));
    const ciphertext = Buffer.from(ciphertextBase64, 'base64');
    const bytes = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    const plain = isOlder ? bytes.subarray(olderHeaderBytes) : bytes;
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(plain) };
  } catch {
    // Wrong padding, half a block, or no UTF-8.
    return { ok: false };
  }
}
