// The README keeps up with the code: its generated tables, and the errors it lists.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problems } from '../functions/contract/problem.ts';
import { documented } from '../infra/document.ts';

const readme = readFileSync('README.md', 'utf8');

test('the configuration tables are those of the schemas (npm run document)', () => {
  expect(documented(readme)).toBe(readme);
});

test.each(Object.entries(problems))('problem %s is listed with its status', (code, { status }) => {
  expect(readme).toMatch(new RegExp(`^\\| ${status} \\|.*\`${code}\``, 'm'));
});
