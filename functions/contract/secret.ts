// Comparing secrets without telling by the time it takes how much of a guess was right.
import { createHash, timingSafeEqual } from 'node:crypto';

/** A check against one secret; hashing first makes both sides equally long. */
export function secretCheck(secret: string): (given: string) => boolean {
  const expected = sha256(secret);
  return (given) => timingSafeEqual(sha256(given), expected);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
