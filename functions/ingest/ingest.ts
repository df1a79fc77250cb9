// The ingest handler over HTTP: takes a batch of envelopes from the bridge, and what platforms push; `batch.ts` stores it.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { byDeclaredSize } from '../contract/body-limit.ts';
import { envelopeBatchType } from '../contract/envelope.ts';
import { notedHeader, notedMsIn } from '../contract/noted.ts';
import { problem, problemResponse } from '../contract/problem.ts';
import { signatureFault } from '../contract/signature.ts';
import { createTakeBatch } from './batch.ts';
import type { PushMemory } from './push/memory.ts';
import type { OneNetPushOptions } from './push/onenet.ts';
import { oneNetPushPath } from './push/path.ts';
import { withSplicedData } from './spliced-data.ts';
import type { Store } from './storing/message-store.ts';

export interface IngestOptions {
  readonly store: Store;
  /** Standard Webhooks secret that requests must be signed with; absent where IAM guards the function. */
  readonly secret?: string;
  /** Maximum messages in one batch. Default 10,000. */
  readonly maxBatch?: number;
  /** Largest body in bytes. Default 6 MB, the limit of a Lambda request. */
  readonly maxBodyBytes?: number;
  /** What platforms may push to paths of their own; none by default. */
  readonly push?: {
    readonly onenet?: OneNetPushOptions | undefined;
    readonly memory?: PushMemory | undefined;
  };
  readonly now?: () => number;
  /** Told how many messages of a batch a broker had redelivered after they were stored; never 0. */
  readonly onDuplicate?: (count: number) => void;
  /** Told of failures that nobody should see in an answer. */
  readonly onError?: (error: Error) => void;
}

/**
 * The ingest function as a Hono app. `POST /` with a CloudEvents batch answers 200 and
 * `{"batchItemFailures":[…]}`: what is not named there has been stored. An empty batch asks whether anything can be
 * stored now: 200, or 503. `?retentionDays=N`, 1 to 3,650, is for how long, and `?storage=packed` says that many messages
 * may share an item; a route has them in its URL, and without them the store's defaults hold.
 *
 * @example
 * const app = createIngest({ store, secret: 'whsec_…' });
 * await app.request('/', { method: 'POST', body, headers });
 */
export function createIngest(options: IngestOptions): Hono {
  const {
    store,
    secret,
    maxBatch,
    maxBodyBytes = 6 * 1024 * 1024,
    push,
    now = Date.now,
    onDuplicate,
    onError,
  } = options;
  const take = createTakeBatch({ store, maxBatch, onDuplicate });
  const app = new Hono();

  app.onError((error) => {
    onError?.(error);
    return problemResponse(problem('internal'));
  });
  app.notFound(() => problemResponse(problem('not-found')));

  const onenet = push?.onenet;
  if (onenet !== undefined) {
    let served: Promise<Hono> | undefined;
    app.all(oneNetPushPath, async (context) => {
      // Loaded where a platform pushes: most deployments have no use for it.
      served ??= import('./push/push.ts').then(({ createOneNetPush }) =>
        new Hono().route(
          oneNetPushPath,
          createOneNetPush({ ...onenet, store, memory: push?.memory, now }),
        ),
      );
      return (await served).fetch(context.req.raw);
    });
  }

  const limit = byDeclaredSize(bodyLimit, {
    maxSize: maxBodyBytes,
    onError: () => problemResponse(problem('body-too-large', `at most ${maxBodyBytes} bytes`)),
  });

  app.post('/', limit, async (context) => {
    // Nothing is ever decompressed: so a small body cannot become a large one.
    if ((context.req.header('content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
      return problemResponse(problem('unsupported-media-type', 'send it without Content-Encoding'));
    }
    const body = new Uint8Array(await context.req.arrayBuffer());
    // The middleware believes a Content-Length.
    if (body.byteLength > maxBodyBytes)
      return problemResponse(problem('body-too-large', `at most ${maxBodyBytes} bytes`));
    if (secret !== undefined) {
      const headers = {
        'webhook-id': context.req.header('webhook-id'),
        'webhook-timestamp': context.req.header('webhook-timestamp'),
        'webhook-signature': context.req.header('webhook-signature'),
      };
      const fault = signatureFault(secret, headers, body, now());
      if (fault !== undefined) return problemResponse(problem('unauthorized', fault));
    }
    const mediaType = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (mediaType !== envelopeBatchType) {
      return problemResponse(problem('unsupported-media-type', `send ${envelopeBatchType}`));
    }
    const batch = parseBatch(body);
    if (batch === undefined)
      return problemResponse(problem('invalid-json', 'the body must be a JSON array'));
    const notedBefore = notedMsIn(context.req.header(notedHeader));
    const answer = await take(batch, new URL(context.req.url).searchParams, notedBefore);
    if (answer.kind === 'problem') return problemResponse(answer.problem);
    if (answer.notedMs !== undefined) context.header(notedHeader, String(answer.notedMs));
    return context.json(answer.receipt);
  });

  return app;
}

function parseBatch(body: Uint8Array): readonly unknown[] | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? withSplicedData(value, text) : undefined;
  } catch {
    return undefined;
  }
}
