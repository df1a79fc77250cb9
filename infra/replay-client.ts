// The calls of `npm run replay` to the API of a deployment.
import * as z from 'zod';

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
export class RequestError extends Error {}

const timeoutMs = 30_000;

export class ReplayClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
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
    if (response.ok) return viewSchema.parse(answer);
    const said = problemSchema.safeParse(answer).data;
    if (said === undefined) throw new RequestError(`${this.#url} answered ${response.status}`);
    const faults = said.errors.map(({ field, rule }) => `${field} ${rule}`);
    throw new RequestError([said.title, said.detail, ...faults].filter(Boolean).join('\n  '));
  }

  async #fetch(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#url), {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      const reason = error instanceof Error ? (error.cause ?? error) : error;
      throw new RequestError(`${this.#url} cannot be reached: ${String(reason)}`);
    }
  }
}
