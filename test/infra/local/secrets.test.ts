// Secrets from a file: read as they are now, with a word about who else can read them.
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { fileSecrets } from '../../../infra/local/secrets.ts';
import { temporaryFolder } from '../../support/brokers.ts';

let file: string;
let lines: string[];
const log = pino({}, { write: (line) => lines.push(line) });
beforeEach(() => {
  file = join(temporaryFolder('secrets'), 'secrets.json');
  lines = [];
});

/** Another file in its place, as editors do. */
function write(document: unknown, mode = 0o600): void {
  writeFileSync(`${file}.new`, typeof document === 'string' ? document : JSON.stringify(document));
  chmodSync(`${file}.new`, mode);
  renameSync(`${file}.new`, file);
}

test('texts are read as they are, objects and lists as their JSON', async () => {
  const login = { username: 'bridge', password: 'light' };
  write({ 'causeway/ca': '-----BEGIN…', 'causeway/broker': login, hooks: ['whsec_a', 'whsec_b'] });
  const secrets = fileSecrets(file, log);
  expect(await secrets.read('causeway/ca')).toBe('-----BEGIN…');
  expect(JSON.parse(await secrets.read('causeway/broker'))).toEqual(login);
  expect(JSON.parse(await secrets.read('hooks'))).toEqual(['whsec_a', 'whsec_b']);
  await expect(secrets.read('other')).rejects.toThrow(`the secret other is not in ${file}`);
  await expect(secrets.read('constructor')).rejects.toThrow('is not in');
  expect(lines).toEqual([]);
});

test('a mark of the editor before the file or a text is no part of it', async () => {
  const mark = '\uFEFF';
  write(`${mark}${JSON.stringify({ token: `${mark}abc`, list: ['a'] })}`);
  const secrets = fileSecrets(file, log);
  expect(await secrets.read('token')).toBe('abc');
  expect(await secrets.read('list')).toBe('["a"]');
});

test('a file that changes is read again, one with faults changes nothing', async () => {
  write({ a: 'old' });
  const secrets = fileSecrets(file, log);
  expect(await secrets.read('a')).toBe('old');
  write({ a: 'new', b: 'more' });
  expect([await secrets.read('a'), await secrets.read('b')]).toEqual(['new', 'more']);
  write('{ "a": "half');
  expect([await secrets.read('a'), await secrets.read('a')]).toEqual(['new', 'new']);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('the old one holds');
  expect(lines[0]).not.toContain('half');
  write({ a: 'newer' });
  expect(await secrets.read('a')).toBe('newer');
});

test.each([0o644, 0o660, 0o604])('mode %o: others can read it', (mode) => {
  write({ a: 'secret' }, mode);
  fileSecrets(file, log);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('chmod 600');
  expect(lines[0]).not.toContain('"secret"');
});

test.each([
  ['{ "a": "half', 'is not JSON'],
  [
    '{\n"a": "-----BEGIN\nX"}',
    'is not JSON: a line break inside a text is written \\n, see line 2',
  ],
  ['', 'is empty'],
  [[], 'must be a JSON object'],
  [{ a: 1 }, 'a: must be a text'],
  [{ a: 'x'.repeat(70_000) }, 'a: must be a text of at most 65536 characters'],
  ['x'.repeat(9_000_000), 'is larger than 8388608 bytes'],
])('a file that cannot be used stops the start, and nothing of it is shown', (document, fault) => {
  write(document);
  expect(() => fileSecrets(file, log)).toThrow(`${file}: ${fault}`);
  expect(() => fileSecrets(`${file}.none`, log)).toThrow('ENOENT');
});
