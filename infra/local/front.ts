// What `npm start` answers on PORT: readiness, metrics, and the api once that is up.
import { type Context, Hono } from 'hono';
import { problem, problemResponse } from '../../functions/contract/problem.ts';
import { secretCheck } from '../../functions/contract/secret.ts';
import { oneNetPushPath } from '../../functions/ingest/push/path.ts';
import type { localApi, localIngest } from './functions.ts';

/** What there is to answer with, filled in as the parts come up. */
export interface Running {
  /** A line for each part that is not ready. */
  problems: () => readonly string[];
  /** Where the numbers are; each gives Prometheus's text, and no metric of another's. */
  readonly metrics: (() => Promise<string>)[];
  api: ReturnType<typeof localApi> | undefined;
  /** Answers what platforms push; undefined where none may. */
  push?: ReturnType<typeof localIngest> | undefined;
}

/**
 * The port answers from the start, so that readiness can be asked for while the parts come up.
 *
 * `operatorTokens` are those of who may see what is not ready and the numbers; without them everybody may, on a port that
 * other machines cannot reach.
 */
export function createFront(running: Running, operatorTokens?: readonly string[]): Hono {
  const front = new Hono();
  const checks = operatorTokens?.map((token) => secretCheck(`Bearer ${token}`));
  const isOperator = (context: Context) => {
    const header = context.req.header('authorization') ?? '';
    return checks === undefined || checks.some((isToken) => isToken(header));
  };
  front.get('/readyz', (context) => {
    const problems = running.problems();
    const isReady = problems.length === 0;
    return context.json(
      {
        status: isReady ? 'ready' : 'not ready',
        ...(isOperator(context) && { problems }),
      },
      isReady ? 200 : 503,
    );
  });
  front.get('/metrics', async (context) => {
    if (!isOperator(context))
      return problemResponse(problem('unauthorized', 'send METRICS_TOKEN or API_TOKEN'), {
        'www-authenticate': 'Bearer',
      });
    const texts = await Promise.all(running.metrics.map((text) => text()));
    return context.body(texts.join(''), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    });
  });
  // Of ingest, no other path is to be reached from outside.
  front.all(
    oneNetPushPath,
    (context, next) => running.push?.fetch(context.req.raw, context.env) ?? next(),
  );
  front.all(
    '*',
    (context) =>
      running.api?.fetch(context.req.raw, context.env) ?? context.json({ status: 'starting' }, 503),
  );
  return front;
}
