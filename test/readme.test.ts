// Our documents keep up with the code: their generated tables, the errors that they list, and where their links lead.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problems } from '../functions/contract/problem.ts';
import { documented, documents, generatedFiles } from '../infra/cli/document.ts';
import { anchorsOf, linksOf } from './support/markdown-links.ts';

test.each(Object.entries(documents))(
  'the tables in %s are current (npm run document)',
  (file, sections) => {
    const text = readFileSync(file, 'utf8');
    expect(documented(text, sections)).toBe(text);
  },
);

test.each(Object.entries(generatedFiles))('%s is current (npm run document)', (file, text) => {
  expect(readFileSync(file, 'utf8')).toBe(text);
});

const http = readFileSync('functions/docs/http.md', 'utf8');

test.each(Object.entries(problems))('problem %s is listed with its status', (code, { status }) => {
  expect(http).toMatch(new RegExp(`^\\| ${status} \\|.*\`${code}\``, 'm'));
});

const pages = [
  ...readdirSync('.'),
  ...['bridge', 'functions', 'infra', 'test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  ),
].filter((path) => path.endsWith('.md'));

/** Links of a page that lead to no file, or to no heading of one. */
function brokenLinks(path: string, text: string): string[] {
  return linksOf(path, text)
    .filter(({ target, anchor }) => {
      if (!existsSync(target)) return true;
      if (anchor === undefined) return false;
      return !anchorsOf(target === path ? text : readFileSync(target, 'utf8')).has(anchor);
    })
    .map(({ link }) => link);
}

test.each(pages)('the links of %s lead somewhere', (path) => {
  expect(brokenLinks(path, readFileSync(path, 'utf8'))).toEqual([]);
});

test.each([
  ['to no file', '[x](docs/none.md)', ['docs/none.md']],
  ['to no heading', '# Here\n[x](#there)', ['#there']],
  ['to no heading of another page', '[x](CONTRIBUTING.md#none)', ['CONTRIBUTING.md#none']],
  ['to a heading', '# `Here`, and **there**\n[x](#here-and-there)', []],
  ['to the second of two', '# Here\n# Here\n[x](#here-1)', []],
  ['to a file', '[x](LICENSE)', []],
  ['out', '[x](https://example.com/#any)', []],
  ['in code', '`[x](none.md)`\n```\n[x](none.md)\n```', []],
])('a link %s', (_, text, broken) => {
  expect(brokenLinks('README.md', text)).toEqual(broken);
});
