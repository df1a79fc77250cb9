// What the documents in the package link to is in the package.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { linksOf } from './support/markdown-links.ts';

/** Paths of what is packed, but for what a build makes. */
function packedFiles(): Set<string> {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(packed) as [{ files: readonly { path: string }[] }];
  return new Set(files.map(({ path }) => path));
}

test('the links of packed documents lead to packed files', () => {
  const files = packedFiles();
  const pages = [...files].filter((path) => path.endsWith('.md') && !path.startsWith('dist/'));
  expect(pages).toContain('bridge/docs/performance.md');
  const broken = pages.flatMap((page) =>
    linksOf(page, readFileSync(page, 'utf8'))
      .filter(({ target }) => !files.has(target))
      .map(({ link }) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});
