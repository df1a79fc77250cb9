// What is closed to other users, and what is left as it is.
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { levelDbNames, makePrivate } from '../../../infra/level/private-folder.ts';
import { temporaryFolder } from '../../support/brokers.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;

/** A folder that everybody may read, with these files in it. */
function openFolder(...names: string[]): string {
  const folder = temporaryFolder('private');
  for (const name of names) {
    writeFileSync(join(folder, name), '');
    chmodSync(join(folder, name), 0o644);
  }
  chmodSync(folder, 0o755);
  return folder;
}

test('a folder of ours is closed with all that is in it', () => {
  const names = [
    'CURRENT',
    'LOCK',
    'LOG',
    'LOG.old',
    'MANIFEST-000004',
    '000005.log',
    '000012.ldb',
  ];
  const folder = openFolder(...names);
  makePrivate(folder, levelDbNames);
  expect(modeOf(folder)).toBe(0o700);
  expect(names.map((name) => modeOf(join(folder, name)))).toEqual(names.map(() => 0o600));
});

test('in a folder with other things in it only ours are closed', () => {
  const folder = openFolder('stack.json', 'notes.txt');
  mkdirSync(join(folder, 'database'), { mode: 0o755 });
  makePrivate(folder, /^(database|stack\.json)$/);
  expect([modeOf(folder), modeOf(join(folder, 'notes.txt'))]).toEqual([0o755, 0o644]);
  expect(modeOf(join(folder, 'stack.json'))).toBe(0o600);
  expect(modeOf(join(folder, 'database'))).toBe(0o700);
});

test('a missing folder is made for this user alone', () => {
  const folder = join(temporaryFolder('private'), 'a', 'b');
  makePrivate(folder, levelDbNames);
  expect([modeOf(folder), modeOf(join(folder, '..'))]).toEqual([0o700, 0o700]);
});
