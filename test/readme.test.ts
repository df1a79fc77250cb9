// The README keeps up with the code: its generated tables, and the errors it lists.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problems } from '../functions/contract/problem.ts';
import { documented, documents } from '../infra/document.ts';

const readme = readFileSync('README.md', 'utf8');

test.each(Object.entries(documents))(
  'the tables in %s are current (npm run document)',
  (file, sections) => {
    const text = readFileSync(file, 'utf8');
    expect(documented(text, sections)).toBe(text);
  },
);

test.each(Object.entries(problems))('problem %s is listed with its status', (code, { status }) => {
  expect(readme).toMatch(new RegExp(`^\\| ${status} \\|.*\`${code}\``, 'm'));
});
