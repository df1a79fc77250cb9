// The order of sort keys.

/** Orders sort keys as DynamoDB does, by their bytes in UTF-8; JavaScript's own order differs beyond U+FFFF. */
export function compareSortKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [one, other] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (one !== other) return rankOf(one) - rankOf(other);
  }
  return a.length - b.length;
}

/** UTF-16 units in the order of UTF-8: surrogates, which stand for what is beyond U+FFFF, behind all others. */
function rankOf(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x1_0000 : unit;
}
