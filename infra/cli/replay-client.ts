// The calls of `npx causeway replay` to the API of a deployment.
import * as z from 'zod';
import { RequestError, refused, unreachable } from './request-error.ts';

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
    throw refused(this.#url, response.status, answer);
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
      throw unreachable(this.#url, error);
    }
  }
}
