// The HTTP side of a route: one batch, one POST, one verdict.
import { Pool } from 'undici';
import { v7 as uuidv7 } from 'uuid';
import { encodeBatch, envelopeBatchType } from '../functions/contract/envelope.ts';
import { sign } from '../functions/contract/signature.ts';
import type { RouteConfig } from './config.ts';
import type { Enveloped } from './delivery.ts';
import { type Answer, type Verdict, verdictOf } from './verdict.ts';

/** A receipt that names 10,000 failures with their reasons stays well below this. */
const maxAnswerBytes = 16 * 1024 * 1024;

export interface Sink {
  post(batch: readonly Enveloped[]): Promise<Verdict>;
  close(): Promise<void>;
}

export function createSink(
  route: Pick<RouteConfig, 'url' | 'secret' | 'timeoutMs' | 'concurrency'>,
): Sink {
  const url = new URL(route.url);
  const pool = new Pool(url.origin, {
    connections: route.concurrency,
    pipelining: 1,
    connectTimeout: route.timeoutMs,
  });

  async function request(body: string): Promise<Answer> {
    try {
      const {
        statusCode,
        headers,
        body: answer,
      } = await pool.request({
        method: 'POST',
        path: `${url.pathname}${url.search}`,
        headers: {
          'content-type': envelopeBatchType,
          ...(route.secret !== undefined && sign(route.secret, uuidv7(), body, Date.now())),
        },
        body,
        // Over all: a slow trickle of header or body bytes ends with it too.
        signal: AbortSignal.timeout(route.timeoutMs),
      });
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) {
        text += chunk;
        if (text.length > maxAnswerBytes)
          throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
      }
      const retryAfter = headers['retry-after'];
      return {
        kind: 'response',
        status: statusCode,
        body: text,
        ...(typeof retryAfter === 'string' && { retryAfter }),
      };
    } catch (error) {
      return {
        kind: 'failed',
        reason: error instanceof Error ? error.message || error.name : String(error),
      };
    }
  }

  return {
    async post(batch) {
      const answer = await request(encodeBatch(batch.map(({ envelope }) => envelope)));
      return verdictOf(answer, new Set(batch.map(({ id }) => id)), Date.now());
    },
    close: () => pool.destroy(),
  };
}
