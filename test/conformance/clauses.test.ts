// No clause of either standard is forgotten: it has a row, or it is said why not.
import { describe, expect, test } from 'vitest';
import { clauses5, clauses311, withoutRow } from './clauses.ts';
import { groups } from './rows/rows.ts';

const rows = Object.values(groups).flat();

describe.each([
  { version: 4, name: 'MQTT 3.1.1', clauses: clauses311 },
  { version: 5, name: 'MQTT 5', clauses: clauses5 },
] as const)('$name', ({ version, clauses }) => {
  const shown = new Set(rows.filter((row) => row.version === version).map(({ clause }) => clause));

  test('each clause has a row, or a reason to have none', () => {
    const reasons = withoutRow[version];
    expect(clauses.filter((clause) => !shown.has(clause) && !reasons.has(clause))).toEqual([]);
    expect([...reasons.keys()].filter((clause) => shown.has(clause))).toEqual([]);
  });

  test('rows and reasons name clauses that there are', () => {
    const named = [...shown, ...withoutRow[version].keys()];
    expect(named.filter((clause) => !clauses.includes(clause))).toEqual([]);
  });
});
