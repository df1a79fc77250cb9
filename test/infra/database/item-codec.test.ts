import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { decodeItem, encodeItem } from '../../../infra/database/item-codec.ts';
import { fc } from '../../support/property.ts';

const { value } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'binary' }).map((S) => ({ S })),
    fc.integer().map((n) => ({ N: String(n) })),
    fc.uint8Array({ maxLength: 300 }).map((B) => ({ B })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.constant({ NULL: true } as const),
    fc.array(fc.string(), { minLength: 1 }).map((SS) => ({ SS })),
    fc.array(fc.uint8Array(), { minLength: 1 }).map((BS) => ({ BS })),
    fc.array(tie('value'), { maxLength: 4 }).map((L) => ({ L })),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }).map((M) => ({ M })),
  ) as fc.Arbitrary<AttributeValue>,
}));

it('an item comes back as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value, { noNullPrototype: true }), (item) => {
      expect(decodeItem(encodeItem(item))).toEqual(item);
    }),
  );
});

it('a large item comes back, and what is read outlives the next one that is written', () => {
  const item = { payload: { B: new Uint8Array(300_000).fill(7) }, text: { S: 'é'.repeat(40_000) } };
  const decoded = decodeItem(encodeItem(item));
  encodeItem({ payload: { B: new Uint8Array(300_000).fill(9) } });
  expect(decoded).toEqual(item);
});

it('bytes of another version, or cut off, are not taken for an item', () => {
  const bytes = encodeItem({ a: { S: 'text' }, b: { N: '1' } });
  expect(() => decodeItem(Buffer.from([2, ...bytes.subarray(1)]))).toThrow(/version/);
  expect(() => decodeItem(bytes.subarray(0, 1))).toThrow();
});
