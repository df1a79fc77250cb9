// DynamoDB's numbers: decimal text of up to 38 digits, kept, compared and added without the loss that a double has.

/** `digits × 10^exponent`, negative digits for a negative number; no trailing zeros, so that equal numbers are alike. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

const numberPattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
const maxDigits = 38;
/** DynamoDB takes magnitudes from 1E-130 to 9.99…E+125. */
const minMagnitude = -130;
const maxMagnitude = 125;
/** Whole numbers that are as DynamoDB writes them, and a double holds exactly: nearly all that are stored. */
const plainPattern = /^(?:0|-?[1-9]\d{0,14})$/;

/** Why a text is no number that DynamoDB takes; undefined where it is one. */
export function numberFault(text: string): string | undefined {
  if (plainPattern.test(text)) return undefined;
  const parsed = parse(text);
  return typeof parsed === 'string' ? parsed : undefined;
}

/** The number as DynamoDB gives it back: `1.0`, `1e0` and `+1` are all `1`. Throws a RangeError where it is none. */
export function canonicalNumber(text: string): string {
  return plainPattern.test(text) ? text : textOf(decimal(text));
}

/** Less than, equal to or greater than zero, as `a` is to `b`. */
export function compareNumbers(a: string, b: string): number {
  if (plainPattern.test(a) && plainPattern.test(b)) return Number(a) - Number(b);
  const left = decimal(a);
  const right = decimal(b);
  const exponent = Math.min(left.exponent, right.exponent);
  const difference = scaled(left, exponent) - scaled(right, exponent);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The sum, exact. Throws a RangeError where it has more than 38 digits or is too large. */
export function addNumbers(a: string, b: string): string {
  const left = decimal(a);
  const right = decimal(b);
  const exponent = Math.min(left.exponent, right.exponent);
  return canonicalNumber(
    textOf(normal(scaled(left, exponent) + scaled(right, exponent), exponent)),
  );
}

export function negated(text: string): string {
  const { digits, exponent } = decimal(text);
  return textOf({ digits: -digits, exponent });
}

function decimal(text: string): Decimal {
  const parsed = parse(text);
  if (typeof parsed === 'string') throw new RangeError(parsed);
  return parsed;
}

function parse(text: string): Decimal | string {
  const match = numberPattern.exec(text);
  const [, sign, whole = '', fraction = '', power = '0'] = match ?? [];
  if (match === null || whole + fraction === '')
    return 'The parameter cannot be converted to a numeric value';
  // Bounds the work: DynamoDB's own limit of digits comes first without these zeros.
  const significant = (whole + fraction).replace(/^0+/, '').replace(/0+$/, '');
  if (significant.length > maxDigits)
    return 'Attempting to store more than 38 significant digits in a Number';
  const parsed = normal(BigInt(`${whole}${fraction}`), Number(power) - fraction.length);
  const magnitude = significant.length === 0 ? 0 : significant.length - 1 + parsed.exponent;
  if (magnitude > maxMagnitude)
    return 'Number overflow. Attempting to store a number with magnitude larger than supported range';
  if (magnitude < minMagnitude)
    return 'Number underflow. Attempting to store a number with magnitude smaller than supported range';
  return sign === '-' ? { ...parsed, digits: -parsed.digits } : parsed;
}

function normal(digits: bigint, exponent: number): Decimal {
  if (digits === 0n) return { digits, exponent: 0 };
  const text = digits.toString();
  const zeros = text.length - text.replace(/0+$/, '').length;
  return { digits: BigInt(text.slice(0, text.length - zeros)), exponent: exponent + zeros };
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}

function textOf({ digits, exponent }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString();
  if (exponent >= 0) return `${sign}${text}${'0'.repeat(exponent)}`;
  const whole = text.length + exponent;
  if (whole > 0) return `${sign}${text.slice(0, whole)}.${text.slice(whole)}`;
  return `${sign}0.${'0'.repeat(-whole)}${text}`;
}
