// Times of receipt, RFC 3339 in UTC with microseconds, as numbers and back.

/** Milliseconds since 1970, and microseconds of the millisecond: 0 to 999. */
export interface ReceiptTime {
  readonly ms: number;
  readonly us: number;
}

const years0To9999 = [Date.parse('0000-01-01T00:00Z'), Date.parse('+010000-01-01T00:00Z')] as const;

/** Whether numbers are a time that can be written as text. */
export function isReceiptTime({ ms, us }: ReceiptTime): boolean {
  return ms >= years0To9999[0] && ms < years0To9999[1] && us < 1000;
}

const secondLength = '2026-01-01T00:00:00'.length;

let lastSecond = '';
let lastSecondMs = Number.NaN;

/** Undefined where the text is no time that comes back as it was, such as the 30th of February. */
export function receiptTimeOf(time: string): ReceiptTime | undefined {
  const second = time.slice(0, secondLength);
  if (second !== lastSecond) {
    // The next message is nearly always of the same second.
    lastSecond = second;
    lastSecondMs = Date.parse(`${second}Z`);
    if (!Number.isNaN(lastSecondMs) && secondText(lastSecondMs) !== second)
      lastSecondMs = Number.NaN;
  }
  if (Number.isNaN(lastSecondMs) || !/^\.\d{6}Z$/.test(time.slice(secondLength))) return undefined;
  return {
    ms: lastSecondMs + Number(time.slice(secondLength + 1, secondLength + 4)),
    us: Number(time.slice(secondLength + 4, secondLength + 7)),
  };
}

export function receiptTimeText({ ms, us }: ReceiptTime): string {
  const second = Math.floor(ms / 1000);
  return `${secondText(second * 1000)}.${three(ms - second * 1000)}${three(us)}Z`;
}

let lastTextMs = Number.NaN;
let lastText = '';

function secondText(ms: number): string {
  if (ms !== lastTextMs) {
    lastTextMs = ms;
    lastText = new Date(ms).toISOString().slice(0, secondLength);
  }
  return lastText;
}

function three(value: number): string {
  return String(value).padStart(3, '0');
}
