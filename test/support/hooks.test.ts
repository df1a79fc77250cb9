// Workers keep their modules from test file to test file (`isolate: false`): a hook at the top of a module that several
// test files import would run for the first of them alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const hookAtTop = /^(?:before|after)(?:Each|All)\(/m;

test('only test files have hooks at their top; what they share uses onTestFinished', () => {
  const shared = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'),
  );
  expect(shared.length).toBeGreaterThan(100);
  expect(shared.filter((path) => hookAtTop.test(readFileSync(join('test', path), 'utf8')))).toEqual(
    [],
  );
  expect(hookAtTop.test('const x = [];\nafterEach(() => x.pop());')).toBe(true);
});
