// A batch of envelopes, parsed from JSON, however it came: what of it is no message, and what the store did with the rest.
import * as z from 'zod';
import { messageIn } from '../contract/envelope-reading.ts';
import type { Message } from '../contract/message.ts';
import { faultsText, type Parsed, parseWith } from '../contract/parse.ts';
import {
  type PresenceFeed,
  presenceFeedOf,
  presenceQueryFields,
} from '../contract/presence-feed.ts';
import { type Problem, problem } from '../contract/problem.ts';
import {
  type ClientChange,
  type ItemFailure,
  maxToldClientId,
  type Receipt,
} from '../contract/receipt.ts';
import { storageForms } from '../contract/storage-form.ts';
import type { StorageOptions, Store } from './storing/message-store.ts';

export interface BatchOptions {
  readonly store: Store;
  /** Maximum messages in one batch. Default 10,000. */
  readonly maxBatch?: number | undefined;
  /** Told how many messages of a batch a broker had redelivered after they were stored; never 0. */
  readonly onDuplicate?: ((count: number) => void) | undefined;
}

export type BatchAnswer =
  | {
      readonly kind: 'receipt';
      readonly receipt: Receipt;
      /** When what was stored was noted, where somebody watches. */
      readonly notedMs: number | undefined;
    }
  | { readonly kind: 'problem'; readonly problem: Problem };

/**
 * Stores a batch as the query of its route asks. `notedBefore` is when what was stored before it was noted; without it that is
 * looked up while somebody watches. Rejects where something failed that should not have.
 */
export type TakeBatch = (
  batch: readonly unknown[],
  query: URLSearchParams,
  notedBefore?: number,
) => Promise<BatchAnswer>;

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

export function createTakeBatch({
  store,
  maxBatch = 10_000,
  onDuplicate,
}: BatchOptions): TakeBatch {
  return async (batch, search, notedBefore) => {
    const query = parseQuery(search);
    // Not a 400, by which the bridge would take the messages for bad: a route with a wrong URL is a broken
    // deployment, and what it was meant to store waits until that is mended.
    if (!query.ok) return refused(problem('not-found', undefined, query.faults));
    if (batch.length > maxBatch)
      return refused(problem('body-too-large', `at most ${maxBatch} messages in a batch`));

    // So the bridge asks whether it is ingest or a message, where a message fails and no other comes.
    if (batch.length === 0 && !(await store.canWrite()))
      return refused(problem('database-unavailable'));

    const messages: Message[] = [];
    const failures: ItemFailure[] = [];
    for (const [index, candidate] of batch.entries()) {
      const parsed = messageIn(candidate);
      if (parsed.ok) {
        messages.push(parsed.value);
        continue;
      }
      const id = idOf(candidate);
      // Without an id there is no way to name the item in the answer: the bridge splits the batch to find it.
      if (id === undefined) {
        const faults = parsed.faults.map(({ field, rule }) => ({
          field: `${index}.${field}`,
          rule,
        }));
        return refused(problem('invalid-request', undefined, faults));
      }
      failures.push({
        itemIdentifier: id,
        reason: faultsText(parsed.faults).slice(0, maxReasonLength),
        retryable: false,
      });
    }
    let duplicates = 0;
    let notedMs: number | undefined;
    let clients: readonly ClientChange[] | undefined;
    const { tellsClients = false, ...put } = query.value;
    failures.push(
      ...(await store.put(messages, {
        ...put,
        notedBefore: notedBefore ?? 'unknown',
        onNoted(ms) {
          notedMs = ms;
        },
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
    const receipt: Receipt = {
      batchItemFailures: failures,
      ...(duplicates > 0 && { duplicates }),
      ...(clients !== undefined && { clients: [...clients] }),
    };
    return { kind: 'receipt', receipt, notedMs };
  };
}

function refused(value: Problem): BatchAnswer {
  return { kind: 'problem', problem: value };
}

function parseQuery(search: URLSearchParams): Parsed<RouteQuery> {
  const names = [...new Set(search.keys())];
  const doubled = names.filter((name) => search.getAll(name).length !== 1);
  if (doubled.length > 0)
    return { ok: false, faults: doubled.map((field) => ({ field, rule: 'must be given once' })) };
  const query = parseWith(querySchema, Object.fromEntries(search));
  if (!query.ok) return query;
  const { retentionDays, storage, receipt, ...presenceFields } = query.value;
  const presence = presenceFeedOf(presenceFields);
  if (!presence.ok) return presence;
  const tellsClients = receipt === 'clients';
  return { ok: true, value: { retentionDays, storage, presence: presence.feed, tellsClients } };
}

function idOf(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null || !('id' in candidate)) return undefined;
  return typeof candidate.id === 'string' && candidate.id !== '' ? candidate.id : undefined;
}
