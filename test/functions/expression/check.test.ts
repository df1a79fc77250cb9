// The check of an expression before it is used: what is wrong, and where.
import { expect, test } from 'vitest';
import { expressionFault, expressionText } from '../../../functions/expression/check.ts';
import { expressionLimits } from '../../../functions/expression/limits.ts';

test.each([
  ['payload.celsius > 30'],
  ['levels[1] = "kitchen" and $exists(payload.alarm)'],
  ['{"text": topic & ": " & payload.celsius}'],
  ['payload ~> |$|{"seen": true}|'],
])('%s is one', (text) => {
  expect(expressionFault(text)).toBeUndefined();
});

test.each([
  ['payload.celsius >', 'column 17'],
  ['payload.celsius > > 3', 'column 19'],
  ['$lowercase(topic', 'column 16'],
  ['a nonsense', 'column 3'],
  ['payload.x !y', 'column 11'],
  ['{\n  "a": 1,\n  "b" 2\n}', 'line 3, column 7'],
  ['"open', 'column'],
])('%s is none: %s', (text, place) => {
  expect(expressionFault(text)).toContain(place);
});

test('a mistake without a place, and one that is too deep, have a reason', () => {
  expect(expressionFault('%.a')).toBeDefined();
  expect(expressionFault(`${'('.repeat(8000)}1${')'.repeat(8000)}`)).toBeDefined();
});

test('as a setting it is neither empty nor longer than its bound', () => {
  expect(expressionText.safeParse('true').success).toBe(true);
  expect(expressionText.safeParse('').success).toBe(false);
  expect(expressionText.safeParse(' '.repeat(expressionLimits.maxLength + 1)).success).toBe(false);
  const [issue] = expressionText.safeParse('payload.').error?.issues ?? [];
  expect(issue?.message).toContain('column 8');
});
