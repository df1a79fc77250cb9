// Suites that hold for several variants of the same, such as the databases: an ordinary run takes the first one, and
// `npm run matrix` all of them.
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether this is `npm run matrix`. */
    readonly everyVariant?: boolean;
  }
}

/** Of `all`, those that a suite runs on in this run: give first what stands for the others. */
export function variantsOf<Variant>(all: readonly Variant[]): readonly Variant[] {
  return inject('everyVariant') === true ? all : all.slice(0, 1);
}
