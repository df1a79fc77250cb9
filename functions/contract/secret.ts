// Secrets: compared without telling by the time it takes how much of a guess was right, and made from one another.
import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto';

/** A check against one secret; hashing first makes both sides equally long. */
export function secretCheck(secret: string): (given: string) => boolean {
  const expected = secretDigest(secret);
  return (given) => hasDigest(given, expected);
}

/** SHA-256 of a secret. To be stored only for secrets that are random: a guessable one would need a slow hash. */
export function secretDigest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Whether a secret is the one that `expected` was made from by {@link secretDigest}. */
export function hasDigest(secret: string, expected: Uint8Array): boolean {
  const digest = secretDigest(secret);
  return digest.byteLength === expected.byteLength && timingSafeEqual(digest, expected);
}

/**
 * A secret for one purpose, made from a common one of at least 16 bytes by HKDF (RFC 5869): who learns it learns
 * nothing of the common one, or of those for other purposes.
 */
export function derivedSecret(common: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', common, '', `causeway ${purpose}`, 32));
}
