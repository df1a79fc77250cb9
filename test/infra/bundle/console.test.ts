// The console as it is built: small, whole in itself, and without what its policy forbids.
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { bundleConsole } from '../../../infra/bundle/console.ts';

let files: Map<string, Uint8Array>;
beforeAll(async () => {
  files = await bundleConsole();
});

const textOf = (pattern: RegExp) =>
  [...files]
    .filter(([name]) => pattern.test(name))
    .map(([, bytes]) => Buffer.from(bytes).toString())
    .join('\n');

test('all of it is at most 120 KB compressed', () => {
  const bytes = [...files.values()].map((file) => gzipSync(file, { level: 9 }).length);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(120 * 1000);
});

test('the page names files that are there, and nothing else', () => {
  const named = [...textOf(/html$/).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url);
  expect(named).toHaveLength(5);
  for (const url of named) expect(url === '/docs' || files.has(url?.slice(1) ?? '')).toBe(true);
});

test('there is no script or style in the page, and no evaluation of text', () => {
  expect(textOf(/html$/)).not.toMatch(/<script>|style=|\bon\w+=/);
  expect(textOf(/js$/)).not.toMatch(/\beval\(|new Function\(/);
});

test('nothing of the server is in the scripts', () => {
  expect(textOf(/js$/)).not.toMatch(/DynamoDB|ZodError|process\.env/);
});
