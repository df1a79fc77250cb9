// The settings `where` and `transform` as text: checked when the config is read, with the place of the mistake.
import jsonata from 'jsonata';
import * as z from 'zod';
import { expressionLimits } from './limits.ts';

/** A JSONata expression in a config or a request. */
export const expressionText = z
  .string()
  .min(1)
  .max(expressionLimits.maxLength)
  .superRefine((text, context) => {
    const rule = expressionRule(text);
    if (rule !== undefined) context.addIssue(rule);
  });

/** The rule that an expression breaks, with the place; undefined where it can be evaluated. */
export function expressionRule(text: string): string | undefined {
  const fault = expressionFault(text);
  return fault && `must be a JSONata expression: ${fault}`;
}

/** What is wrong with an expression, and in which column; undefined where it can be evaluated. */
export function expressionFault(text: string): string | undefined {
  try {
    jsonata(text);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return 'it is nested too deeply';
    const { message, position, token } = error as Partial<jsonata.JsonataError>;
    if (position === undefined) return message ?? String(error);
    return `${message}, in ${placeOf(text, startOf(text, position, token))}`;
  }
}

/** JSONata tells where a token ends. */
function startOf(text: string, end: number, token: string | undefined): number {
  const length = token?.length ?? 0;
  const isThere = length > 0 && text.slice(end - length, end) === token;
  return isThere ? end - length : Math.max(0, end - 1);
}

/** Line and column of an index, both counted from 1. */
function placeOf(text: string, index: number): string {
  const lines = text.slice(0, index).split('\n');
  const column = `column ${(lines.at(-1)?.length ?? 0) + 1}`;
  return text.includes('\n') ? `line ${lines.length}, ${column}` : column;
}
