import { expect, test } from 'vitest';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { fc } from '../../../support/property.ts';

const cursors = createCursors('a secret of the tests');
const key = fc.string({ minLength: 1, unit: 'grapheme' });

test('a cursor gives its key back, to its own list only', () => {
  return fc.assert(
    fc.asyncProperty(key, fc.string(), fc.string(), async (given, list, other) => {
      const cursor = await cursors.encode(list, given);
      expect(await cursors.decode(list, cursor)).toBe(given);
      if (other !== list) expect(await cursors.decode(other, cursor)).toBeUndefined();
    }),
  );
});

test('the same place in a list has the same cursor, and another instance reads it', async () => {
  const other = createCursors('a secret of the tests');
  expect(await other.encode('list', 'key')).toBe(await cursors.encode('list', 'key'));
  expect(await other.decode('list', await cursors.encode('list', 'key'))).toBe('key');
});

test('a single changed bit is refused', () => {
  return fc.assert(
    fc.asyncProperty(key, fc.nat(), async (given, position) => {
      const bytes = Buffer.from(await cursors.encode('list', given), 'base64url');
      const index = position % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << (position % 8)), index);
      expect(await cursors.decode('list', bytes.toString('base64url'))).toBeUndefined();
    }),
  );
});

test('what is cut off or added is refused', () => {
  return fc.assert(
    fc.asyncProperty(
      key,
      fc.nat(),
      fc.uint8Array({ minLength: 1 }),
      async (given, position, more) => {
        const bytes = Buffer.from(await cursors.encode('list', given), 'base64url');
        const cut = bytes.subarray(0, position % bytes.length).toString('base64url');
        expect(await cursors.decode('list', cut)).toBeUndefined();
        const longer = Buffer.concat([bytes, more]).toString('base64url');
        expect(await cursors.decode('list', longer)).toBeUndefined();
      },
    ),
  );
});

test('a cursor under another secret is refused', async () => {
  const other = createCursors('another secret of the tests');
  expect(await other.decode('list', await cursors.encode('list', 'key'))).toBeUndefined();
  expect(() => createCursors('short')).toThrow('at least 16 bytes');
});

test('a cursor does not say where it stands', async () => {
  const bytes = Buffer.from(await cursors.encode('list', 'secret/topic/of/another'), 'base64url');
  expect(bytes.toString('latin1')).not.toContain('secret');
});

test('anything else is no cursor', async () => {
  const cursor = await cursors.encode('list', 'key');
  for (const text of ['', 'abc', `${cursor}=`, cursor.slice(1), `${cursor}A`, '💥', ` ${cursor}`]) {
    expect(await cursors.decode('list', text)).toBeUndefined();
  }
});
