// The calls of `npm run replay` to the API of a deployment.
import * as z from 'zod';
import type { FieldFault } from '../functions/contract/problem.ts';

const viewSchema = z.object({
  id: z.string(),
  status: z.string(),
  total: z.number(),
  delivered: z.number(),
  refused: z.number(),
  refusals: z.array(z.object({ topic: z.string(), id: z.string(), reason: z.string() })),
  dryRun: z.boolean(),
  waiting: z.string().optional(),
  reason: z.string().optional(),
});

export type ReplayView = z.output<typeof viewSchema>;

const problemSchema = z.object({
  title: z.string(),
  detail: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), rule: z.string() })).default([]),
});

/** The API could not be reached, or said no; the message is for whoever called. */
export class RequestError extends Error {
  /** What is wrong with which fields of the request. */
  readonly faults: readonly FieldFault[];

  constructor(message: string, faults: readonly FieldFault[] = []) {
    super(message);
    this.faults = faults;
  }
}

const timeoutMs = 30_000;

export class ReplayClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    // It may have a path of its own.
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  start(path: string, body: unknown): Promise<ReplayView> {
    return this.#call('POST', path, body);
  }

  find(id: string): Promise<ReplayView> {
    return this.#call('GET', `/v1/replays/${id}`);
  }

  cancel(id: string): Promise<ReplayView> {
    return this.#call('POST', `/v1/replays/${id}/cancel`);
  }

  async #call(method: string, path: string, body?: unknown): Promise<ReplayView> {
    const response = await this.#fetch(method, path, body);
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) {
      const view = viewSchema.safeParse(answer);
      if (!view.success)
        throw new RequestError(`${this.#url} is not this API: its answer is no replay`);
      return view.data;
    }
    const said = problemSchema.safeParse(answer).data;
    if (said === undefined) throw new RequestError(`${this.#url} answered ${response.status}`);
    const { title, detail, errors } = said;
    throw new RequestError(detail === undefined ? title : `${title}: ${detail}`, errors);
  }

  async #fetch(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(`${this.#url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw new RequestError(`${this.#url} cannot be reached: ${reasonOf(error)}`);
    }
  }
}

/** fetch says only that it failed, and its cause says why: of several addresses, by a code alone. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
