// What a source file imports, found in its text.

export interface Import {
  readonly specifier: string;
  /** Types are gone when the program runs. */
  readonly isType: boolean;
}

/** The imports of a file, static and dynamic ones. */
export function importsIn(source: string): Import[] {
  const statements =
    /\b(?:import|export)\s+(type\s+)?(?:[\w*{},\s]+?\s+from\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/g;
  return [...source.matchAll(statements)].map(([, type, named, dynamic]) => ({
    specifier: named ?? dynamic ?? '',
    isType: type !== undefined,
  }));
}
