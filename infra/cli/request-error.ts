// A request to the API that failed, told to the caller of a command.
import * as z from 'zod';
import { optionFault } from './command-line.ts';
import { CommandError } from './run-command.ts';

const problemSchema = z.object({
  title: z.string(),
  detail: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), rule: z.string() })).default([]),
});

/** The API could not be reached, or said no. */
export class RequestError extends CommandError {}

/** What an answer that is no success says; `answer` is its body as JSON, if it was. */
export function refused(url: string, status: number, answer: unknown): RequestError {
  const said = problemSchema.safeParse(answer).data;
  if (said === undefined) return new RequestError(`${url} answered ${status}`);
  const { title, detail, errors } = said;
  const what = detail === undefined ? title : `${title}: ${detail}`;
  return new RequestError([what, ...errors.map(optionFault)].join('\n  '));
}

/** fetch says only that it failed, and its cause says why: of several addresses, by a code alone. */
export function unreachable(url: string, error: unknown): RequestError {
  return new RequestError(`${url} cannot be reached: ${reasonOf(error)}`);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
