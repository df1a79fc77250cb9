// Which test files run on several variants in `npm run matrix`: those that import a list of variants.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Imports of the lists that `variantsOf` of matrix.ts has made, or that are made of these. */
const importsVariants =
  /^import \{[^}]*\b(engines|settings)\b[^}]*\} from '[^']*support\/(table|stored)\.ts';$/m;

/** Paths from the top of the repository. */
export function matrixTests(): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((path) => join('test', path))
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => importsVariants.test(readFileSync(path, 'utf8')));
}
