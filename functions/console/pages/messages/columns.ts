// The numbers of messages as columns, with what changed from one message to the next.
import type { Message } from '../../client/operations.ts';
import { numbersIn } from '../../components/payload-text.ts';

/** Columns that fit beside the payload. */
const maxColumns = 4;

export interface NumberRow {
  readonly message: Message;
  /** One for each column; undefined where the message has none. */
  readonly cells: readonly ({ readonly value: number; readonly change?: number } | undefined)[];
}

export interface NumberColumn {
  /** Of its field; `''` for a payload that is a number. */
  readonly path: string;
  /** Digits behind the point: as many as one of its values has. */
  readonly decimals: number;
}

export interface NumberTable {
  readonly columns: readonly NumberColumn[];
  readonly rows: readonly NumberRow[];
}

/** The fields that most messages have, in the order in which they are met. */
export function numberTable(messages: readonly Message[]): NumberTable {
  const numbers = messages.map(({ payload }) => numbersIn(payload));
  const counts = new Map<string, number>();
  for (const fields of numbers)
    for (const path of fields.keys()) counts.set(path, (counts.get(path) ?? 0) + 1);
  const columns = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, maxColumns)
    .map(([path]) => ({
      path,
      decimals: Math.max(...numbers.map((fields) => decimalsOf(fields.get(path) ?? 0))),
    }));
  return {
    columns,
    rows: messages.map((message, index) => ({
      message,
      cells: columns.map(({ path }) => {
        const value = numbers[index]?.get(path);
        // Newest first: the one before stands below.
        const before = numbers[index + 1]?.get(path);
        if (value === undefined) return undefined;
        return { value, ...(before !== undefined && { change: value - before }) };
      }),
    })),
  };
}

const maxDecimals = 6;

function decimalsOf(value: number): number {
  const [, fraction = ''] = String(value).split('.');
  return Math.min(maxDecimals, fraction.length);
}

/** A change with its sign, and as many digits as its column has. */
export function changeText(change: number, decimals: number): string {
  const text = Math.abs(change).toFixed(decimals);
  if (Number(text) === 0) return '=';
  return `${change > 0 ? '+' : '−'}${text}`;
}
