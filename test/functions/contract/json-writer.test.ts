import { expect, test } from 'vitest';
import { JsonWriter } from '../../../functions/contract/json-writer.ts';
import { fc } from '../../support/property.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string(),
  // Lone surrogates too.
  fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

test('writes what JSON.stringify writes, one after the other', () => {
  const writer = new JsonWriter();
  fc.assert(
    fc.property(fc.array(anyText), (texts) => {
      writer.clear();
      let expected = '';
      for (const text of texts) {
        const json = JSON.stringify(text);
        writer.string(text);
        writer.raw(Buffer.from(','));
        writer.text(json);
        expected += `${json},${json}`;
        if (!text.isWellFormed()) continue;
        writer.escaped(Buffer.from(text));
        expected += json.slice(1, -1);
      }
      expect(writer.toString()).toBe(expected);
      expect(writer.length).toBe(Buffer.byteLength(expected));
    }),
  );
});

test('writes whole numbers as their digits', () => {
  const writer = new JsonWriter();
  const edges = [0, 9, 10, 99, 100, 65_535, 999_999_999, 1_000_000_000, 2 ** 31 - 1];
  fc.assert(
    fc.property(fc.oneof(fc.nat(), fc.constantFrom(...edges)), (value) => {
      writer.clear();
      writer.integer(value);
      writer.integer(value);
      expect(writer.toString()).toBe(`${value}${value}`);
    }),
  );
});

test('holds texts of any size, and begins again after a large one', () => {
  const writer = new JsonWriter();
  const text = '"\0ä\ud800'.repeat(200_000);
  for (const written of [text, 'x', text]) {
    writer.clear();
    writer.string(written);
    expect(writer.toString() === JSON.stringify(written)).toBe(true);
  }
});

test('copies a part of what was written', () => {
  const writer = new JsonWriter();
  writer.text('["é"]');
  const target = Buffer.alloc(8, '.');
  expect(writer.copy(target, 1, 1, 5)).toBe(4);
  expect(target.toString()).toBe('."é"...');
});
