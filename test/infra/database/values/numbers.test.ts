import { describe, expect, it } from 'vitest';
import {
  addNumbers,
  canonicalNumber,
  compareNumbers,
  numberFault,
} from '../../../../infra/database/values/numbers.ts';
import { fc } from '../../../support/property.ts';

describe('numbers of DynamoDB', () => {
  it.each([
    ['1.0', '1'],
    ['+1', '1'],
    ['1e3', '1000'],
    ['-0', '0'],
    ['0.000', '0'],
    ['00012.500', '12.5'],
    ['1.5E-3', '0.0015'],
    ['-.5', '-0.5'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
  ])('%s is kept as %s', (given, kept) => {
    expect(canonicalNumber(given)).toBe(kept);
  });

  it.each([
    '',
    '.',
    '-',
    'abc',
    '1e',
    '0x10',
    'NaN',
    'Infinity',
    ' 1',
    '1'.repeat(39),
    '1e126',
    '1e-131',
    '1e9999999',
  ])('%s is refused', (given) => {
    expect(numberFault(given)).toBeDefined();
  });

  const decimals = fc
    .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: -20, max: 20 }))
    .map(([digits, exponent]) => `${digits}e${exponent}`);

  it('equal numbers are kept alike, and the order is that of their values', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const order = compareNumbers(a, b);
        expect(Math.sign(compareNumbers(b, a)) + Math.sign(order)).toBe(0);
        expect(canonicalNumber(a) === canonicalNumber(b)).toBe(order === 0);
        const [x, y] = [Number(a), Number(b)];
        if (x < y) expect(order).toBeLessThan(0);
        if (x > y) expect(order).toBeGreaterThan(0);
      }),
    );
  });

  it('sums are exact', () => {
    const whole = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        expect(addNumbers(String(a), String(b))).toBe(String(a + b));
      }),
    );
    expect(addNumbers('0.1', '0.2')).toBe('0.3');
    expect(() => addNumbers('1e125', '1')).toThrow(RangeError);
  });
});
