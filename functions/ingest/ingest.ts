// The ingest handler: takes a batch of envelopes from the bridge, stores it, and says which items failed.
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as z from 'zod';
import { byDeclaredSize } from '../contract/body-limit.ts';
import { decodeEnvelope, envelopeBatchType, envelopeSchema } from '../contract/envelope.ts';
import type { Message } from '../contract/message.ts';
import { faultsText, type Parsed, parseWith } from '../contract/parse.ts';
import {
  type PresenceFeed,
  presenceFeedOf,
  presenceQueryFields,
} from '../contract/presence-feed.ts';
import { problem, problemResponse } from '../contract/problem.ts';
import {
  type ClientChange,
  type ItemFailure,
  maxToldClientId,
  type Receipt,
} from '../contract/receipt.ts';
import { signatureFault } from '../contract/signature.ts';
import { storageForms } from '../contract/storage-form.ts';
import type { PushMemory } from './push/memory.ts';
import type { OneNetPushOptions } from './push/onenet.ts';
import { oneNetPushPath } from './push/path.ts';
import { withSplicedData } from './spliced-data.ts';
import type { StorageOptions, Store } from './storing/message-store.ts';

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

/** Characters of a reason in an answer: 10,000 failures have to fit into the 6 MB that Lambda answers with. */
const maxReasonLength = 200;

const retentionRule = 'must be a whole number from 1 to 3650';

const querySchema = z.strictObject({
  retentionDays: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, retentionRule)
    .transform(Number)
    .refine((days) => days <= 3650, retentionRule)
    .optional(),
  storage: z.enum(storageForms).optional(),
  ...presenceQueryFields,
  receipt: z.literal('clients').optional(),
});

/** What the URL of a route asks for. */
interface RouteQuery extends StorageOptions {
  readonly presence?: PresenceFeed | undefined;
  /** Whether the receipt tells which clients are online or offline now. */
  readonly tellsClients?: boolean;
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
    maxBatch = 10_000,
    maxBodyBytes = 6 * 1024 * 1024,
    push,
    now = Date.now,
    onDuplicate,
    onError,
  } = options;
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
    const query = parseQuery(context);
    // Not a 400, by which the bridge would take the messages for bad: a route with a wrong URL is a broken
    // deployment, and what it was meant to store waits until that is mended.
    if (!query.ok) return problemResponse(problem('not-found', undefined, query.faults));
    const mediaType = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (mediaType !== envelopeBatchType) {
      return problemResponse(problem('unsupported-media-type', `send ${envelopeBatchType}`));
    }
    const batch = parseBatch(body);
    if (batch === undefined)
      return problemResponse(problem('invalid-json', 'the body must be a JSON array'));
    if (batch.length > maxBatch) {
      return problemResponse(problem('body-too-large', `at most ${maxBatch} messages in a batch`));
    }

    // So the bridge asks whether it is ingest or a message, where a message fails and no other comes.
    if (batch.length === 0 && !(await store.canWrite()))
      return problemResponse(problem('database-unavailable'));

    const messages: Message[] = [];
    const failures: ItemFailure[] = [];
    for (const [index, candidate] of batch.entries()) {
      const parsed = parseWith(envelopeSchema, candidate);
      if (parsed.ok) {
        messages.push(decodeEnvelope(parsed.value));
        continue;
      }
      const id = idOf(candidate);
      // Without an id there is no way to name the item in the answer: the bridge splits the batch to find it.
      if (id === undefined) {
        const faults = parsed.faults.map(({ field, rule }) => ({
          field: `${index}.${field}`,
          rule,
        }));
        return problemResponse(problem('invalid-request', undefined, faults));
      }
      failures.push({
        itemIdentifier: id,
        reason: faultsText(parsed.faults).slice(0, maxReasonLength),
        retryable: false,
      });
    }
    let duplicates = 0;
    let clients: readonly ClientChange[] | undefined;
    const { tellsClients = false, ...put } = query.value;
    failures.push(
      ...(await store.put(messages, {
        ...put,
        ...(tellsClients && {
          onClients(changes) {
            clients = changes.filter(({ clientId }) => clientId.length <= maxToldClientId);
          },
        }),
        onDuplicates(count) {
          duplicates = count;
          onDuplicate?.(count);
        },
      })),
    );
    return context.json<Receipt>({
      batchItemFailures: failures,
      ...(duplicates > 0 && { duplicates }),
      ...(clients !== undefined && { clients: [...clients] }),
    });
  });

  return app;
}

function parseQuery(context: Context): Parsed<RouteQuery> {
  const given = context.req.queries();
  const doubled = Object.keys(given).filter((name) => given[name]?.length !== 1);
  if (doubled.length > 0)
    return { ok: false, faults: doubled.map((field) => ({ field, rule: 'must be given once' })) };
  const query = parseWith(querySchema, context.req.query());
  if (!query.ok) return query;
  const { retentionDays, storage, receipt, ...presenceFields } = query.value;
  const presence = presenceFeedOf(presenceFields);
  if (!presence.ok) return presence;
  const tellsClients = receipt === 'clients';
  return { ok: true, value: { retentionDays, storage, presence: presence.feed, tellsClients } };
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

function idOf(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null || !('id' in candidate)) return undefined;
  return typeof candidate.id === 'string' && candidate.id !== '' ? candidate.id : undefined;
}
