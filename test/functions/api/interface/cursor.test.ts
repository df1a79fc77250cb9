import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';

const cursors = createCursors('a secret of the tests');
const key = fc.string({ minLength: 1, unit: 'grapheme' });

test('a cursor gives its key back, to its own list only', () => {
  fc.assert(
    fc.property(key, fc.string(), fc.string(), (given, list, other) => {
      const cursor = cursors.encode(list, given);
      expect(cursors.decode(list, cursor)).toBe(given);
      if (other !== list) expect(cursors.decode(other, cursor)).toBeUndefined();
    }),
  );
});

test('the same place in a list has the same cursor, and another instance reads it', () => {
  const other = createCursors('a secret of the tests');
  expect(other.encode('list', 'key')).toBe(cursors.encode('list', 'key'));
  expect(other.decode('list', cursors.encode('list', 'key'))).toBe('key');
});

test('a single changed bit is refused', () => {
  fc.assert(
    fc.property(key, fc.nat(), (given, position) => {
      const bytes = Buffer.from(cursors.encode('list', given), 'base64url');
      const index = position % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << (position % 8)), index);
      expect(cursors.decode('list', bytes.toString('base64url'))).toBeUndefined();
    }),
  );
});

test('what is cut off or added is refused', () => {
  fc.assert(
    fc.property(key, fc.nat(), fc.uint8Array({ minLength: 1 }), (given, position, more) => {
      const bytes = Buffer.from(cursors.encode('list', given), 'base64url');
      const cut = bytes.subarray(0, position % bytes.length).toString('base64url');
      expect(cursors.decode('list', cut)).toBeUndefined();
      const longer = Buffer.concat([bytes, more]).toString('base64url');
      expect(cursors.decode('list', longer)).toBeUndefined();
    }),
  );
});

test('a cursor under another secret is refused', () => {
  const other = createCursors('another secret of the tests');
  expect(other.decode('list', cursors.encode('list', 'key'))).toBeUndefined();
  expect(() => createCursors('short')).toThrow('at least 16 bytes');
});

test('a cursor does not say where it stands', () => {
  const bytes = Buffer.from(cursors.encode('list', 'secret/topic/of/another'), 'base64url');
  expect(bytes.toString('latin1')).not.toContain('secret');
});

test('anything else is no cursor', () => {
  const cursor = cursors.encode('list', 'key');
  for (const text of ['', 'abc', `${cursor}=`, cursor.slice(1), `${cursor}A`, '💥', ` ${cursor}`]) {
    expect(cursors.decode('list', text)).toBeUndefined();
  }
});
