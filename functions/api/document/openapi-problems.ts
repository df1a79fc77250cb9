// The problems in the OpenAPI document: which of them an operation may answer with, and how they look.
import * as z from 'zod';
import { commandStatusSchema } from '../../contract/command.ts';
import { type ProblemCode, problems } from '../../contract/problem.ts';
import type { Operation } from '../interface/operation.ts';
import { headerObjects } from './openapi-headers.ts';
import type { ResponseObject } from './openapi-objects.ts';
import type { JsonSchema } from './openapi-schemas.ts';

/** Problems that every operation may have: parameters that it does not know, and what stands around it. */
export const commonProblems: readonly ProblemCode[] = [
  'invalid-request',
  'unauthorized',
  'rate-limited',
  'internal',
  'issuer-unavailable',
  'database-unavailable',
];
const bodyProblems: readonly ProblemCode[] = [
  'invalid-json',
  'body-too-large',
  'unsupported-media-type',
];

const problemHeaders: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'The scheme to use: `Bearer`.' },
  429: { 'Retry-After': 'Seconds to wait before the next request.' },
};

export const problemSchema = z
  .strictObject({
    type: z.string().describe('`urn:causeway:problem:` and the code.'),
    code: z.string().describe('Stable name of the problem.'),
    status: z.int().describe('The HTTP status.'),
    title: z.string().describe('What the code means; the same for every problem with it.'),
    detail: z.string().optional().describe('What happened this time.'),
    errors: z
      .array(
        z.strictObject({
          field: z.string().describe('Where it stands, such as `userProperties.0.1`.'),
          rule: z.string().describe('The rule that it breaks.'),
        }),
      )
      .optional()
      .describe('The fields that are wrong, with `invalid-request`.'),
    command: z
      .strictObject({ id: z.string(), status: commandStatusSchema })
      .optional()
      .describe('The command that it is about, where one has been recorded.'),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' });

/** The problems of an operation by status: its own and those that its form brings with it. */
export function codesByStatus(operation: Operation): [number, ProblemCode[]][] {
  const codes = new Set<ProblemCode>([
    ...commonProblems,
    ...(operation.body === undefined ? [] : bodyProblems),
    ...(operation.params === undefined ? [] : (['not-found'] as const)),
    ...operation.problems,
  ]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return [...byStatus].sort(([a], [b]) => a - b);
}

export function problemObject(
  status: number,
  codes: readonly ProblemCode[],
  problem: JsonSchema,
): ResponseObject {
  const headers = problemHeaders[status];
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join(' '),
    ...(headers !== undefined && { headers: headerObjects(headers) }),
    content: {
      'application/problem+json': {
        schema: { ...problem, properties: { code: { enum: [...codes] } } },
      },
    },
  };
}
