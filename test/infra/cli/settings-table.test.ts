import { expect, test } from 'vitest';
import * as z from 'zod';
import { settingsTable } from '../../../infra/cli/settings-table.ts';

const rowsOf = (shape: z.ZodRawShape) => settingsTable(z.object(shape)).split('\n').slice(2);

test.each<readonly [string, z.ZodType, string]>([
  ['a text', z.string().describe('Its meaning'), '| `x` | Its meaning |  | required |'],
  ['a range', z.int().min(1).max(9).default(2), '| `x` |  | 1 to 9 | `2` |'],
  ['a lower bound', z.int().min(1).optional(), '| `x` |  | from 1 |  |'],
  ['any whole number', z.int().optional(), '| `x` |  |  |  |'],
  ['a choice', z.enum(['a', 'b']).default('a'), '| `x` |  | `a`, `b` | `a` |'],
  ['numbers', z.literal([4, 5]).optional(), '| `x` |  | `4`, `5` |  |'],
  ['yes or no', z.boolean().default(true), '| `x` |  | `true`, `false` | `true` |'],
  ['a list', z.array(z.enum(['a'])).default([]), '| `x` |  | `a` | `[]` |'],
])('%s', (_, schema, row) => {
  expect(rowsOf({ x: schema })).toEqual([row]);
});

test('objects, optional ones, and lists of them are gone into', () => {
  const inner = z.object({ y: z.boolean().default(false) });
  const rows = rowsOf({ a: inner, b: inner.optional(), c: z.array(inner), d: inner.prefault({}) });
  expect(rows.map((row) => row.split('`')[1])).toEqual(['a.y', 'b.y', 'c[].y', 'd.y']);
});

test('a union of objects has all their fields: those that only some have with the kind', () => {
  const kinds = [
    z.object({ kind: z.literal('one').describe('First'), id: z.string().describe('Id') }),
    z.object({
      kind: z.literal('two').describe('second'),
      id: z.string().describe('Id'),
      size: z.int().min(0).max(3).default(0).describe('Size'),
    }),
  ] as const;
  expect(rowsOf({ x: z.discriminatedUnion('kind', kinds).optional() })).toEqual([
    '| `x.kind` | First; second | `one`, `two` | required |',
    '| `x.id` | Id |  | required |',
    '| `x.size` | Size (`two` only) | 0 to 3 | `0` |',
  ]);
});
