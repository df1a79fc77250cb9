// Commands from a request to what became of them: recorded, handed to the bridge, and waited for.
import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { anyBroker, type BrokerRules } from '../../contract/broker-rules.ts';
import { maxTimeoutSeconds, type Outcome, type WaitFor } from '../../contract/command.ts';
import { pause } from '../../contract/pause.ts';
import type { TraceContext } from '../../contract/trace-context.ts';
import type { LedgerEntry } from '../../table/command-item.ts';
import type { ReadBudget } from '../../table/read-budget.ts';
import type { Principal } from '../access/principal.ts';
import type { Deliver } from '../bridge-client/bridge-client.ts';
import type { Page } from '../interface/page.ts';
import { type CommandSelection, createCommandStore, entryAt } from './command-store.ts';
import type { Idempotency } from './idempotency.ts';
import { type CommandRequest, type CommandResult, createRecorder } from './recorder.ts';
import { maxBulkReplyBytes } from './view.ts';

export interface Commands {
  /**
   * Records the commands, and waits for each as its request says; a result for each, in order. Commands of one
   * topic are sent in the order of the list. With `idempotency` a repeated request gets the commands of the first. A device
   * gets `trace`, the context of the request.
   */
  publish(
    requests: readonly CommandRequest[],
    principal: Principal,
    idempotency?: Idempotency,
    trace?: TraceContext,
  ): Promise<CommandResult[]>;
  get(id: string, budget: ReadBudget): Promise<LedgerEntry | undefined>;
  /** The newest first, without those that are not visible; of all topics where the selection names none. */
  list(
    selection: CommandSelection,
    isVisible: (entry: LedgerEntry) => boolean,
    after?: string,
  ): Promise<Page<LedgerEntry>>;
}

export interface CommandsOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly deliver: Deliver;
  /**
   * Topic for replies where a request that waits for one names none; `{topic}` and `{commandId}` in it are filled
   * in. Default `causeway/replies/{commandId}`, which a device has to be told of by MQTT 5.
   */
  readonly replyTopic?: string;
  /** What the broker does not take: refused before it is recorded. Default: the rules of MQTT alone. */
  readonly brokerRules?: BrokerRules | undefined;
  /** Told of failures that no caller is told of in detail. */
  readonly onError?: (error: Error) => void;
  readonly now?: () => number;
}

/** When the ledger is looked at while the bridge is asked, each after the one before, in milliseconds: five times at most. */
const lookAfterMs = [500, 1000, 2000, 4000, 8000];
/** For more commands, these times are longer in proportion. */
const commandsALook = 50;

/** All of a request's time, to end before API Gateway does after 30 s: what recording took, the bridge gets less. */
const requestBudgetMs = (maxTimeoutSeconds + 2) * 1000;

export function createCommands(options: CommandsOptions): Commands {
  const { client, tableName, deliver, now = Date.now, onError = () => undefined } = options;
  const { replyTopic, brokerRules = anyBroker } = options;
  const store = createCommandStore({ client, tableName, now });
  const record = createRecorder({ client, tableName, store, now, onError });

  /** What the ledger says of commands that the bridge could not be asked for; as known where it cannot be read. */
  async function read(entries: readonly LedgerEntry[]): Promise<Map<string, LedgerEntry>> {
    try {
      const [only] = entries;
      if (only === undefined || entries.length > 1)
        return await store.entriesWithoutReplies(entries.map(({ id }) => id));
      return new Map([[only.id, (await store.entry(only.id)) ?? only]]);
    } catch (error) {
      // They are recorded all the same, and that is what the caller has to know.
      onError(error as Error);
      return new Map();
    }
  }

  /** The entries, in the order of `ids`, with as many of their replies as an answer may have. */
  async function withReplies(
    entries: Map<string, LedgerEntry>,
    ids: readonly string[],
  ): Promise<Map<string, LedgerEntry>> {
    const lacking = ids.filter((id) => {
      const entry = entries.get(id);
      return entry?.status === 'answered' && entry.reply === undefined;
    });
    if (lacking.length === 0) return entries;
    try {
      const replies = await store.replies(lacking, maxBulkReplyBytes);
      return new Map(
        [...entries].map(([id, entry]) => {
          const reply = replies.get(id);
          return [id, reply === undefined ? entry : { ...entry, reply }];
        }),
      );
    } catch (error) {
      // What became of the commands is known all the same.
      onError(error as Error);
      return entries;
    }
  }

  /** The commands after waiting for them as their requests say. */
  async function waited(
    commands: readonly { readonly entry: LedgerEntry; readonly request: CommandRequest }[],
    startedMs: number,
  ): Promise<Map<string, LedgerEntry>> {
    const open = commands.filter(({ entry, request }) => isOpen(entry, request.request.waitFor));
    if (open.length === 0) return new Map();
    const seconds = open.map(({ request: { request } }) =>
      request.waitFor === 'none' ? 0 : request.timeoutSeconds,
    );
    const leftMs = Math.max(0, startedMs + requestBudgetMs - now());
    const found = new AbortController();
    const watching = watch(open, found);
    const outcomes = await deliver(
      {
        commands: open.map(({ entry: { id }, request: { request } }) => ({
          id,
          waitFor: request.waitFor,
        })),
        timeoutMs: Math.min(Math.max(...seconds) * 1000, leftMs),
      },
      found.signal,
    );
    if (found.signal.aborted) return watching;
    found.abort('answered');
    if (outcomes !== undefined) {
      const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
      return new Map(open.map(({ entry }) => [entry.id, withOutcome(entry, byId.get(entry.id))]));
    }
    const waiting = open.filter(({ request }) => request.request.waitFor !== 'none');
    if (waiting.length === 0) return new Map();
    const entries = waiting.map(({ entry }) => entry);
    return withReplies(
      await read(entries),
      entries.map(({ id }) => id),
    );
  }

  /**
   * Looks into the ledger meanwhile: the bridge may have done what is waited for although it cannot be asked, or its
   * answer does not arrive. Aborts `found` where that is so, and gives the entries.
   */
  async function watch(
    open: readonly { readonly entry: LedgerEntry; readonly request: CommandRequest }[],
    found: AbortController,
  ): Promise<Map<string, LedgerEntry>> {
    const waiting = open.filter(({ request }) => request.request.waitFor !== 'none');
    for (const waitMs of waiting.length === 0 ? [] : lookAfterMs) {
      // A look at many commands costs as many reads.
      const sparingMs = waitMs * Math.ceil(waiting.length / commandsALook);
      await pause(sparingMs, found.signal);
      if (found.signal.aborted) break;
      const entries = await read(waiting.map(({ entry }) => entry));
      const isReached = waiting.every(({ entry: { id }, request }) => {
        const entry = entries.get(id);
        return entry !== undefined && !isOpen(entry, request.request.waitFor);
      });
      if (!isReached || found.signal.aborted) continue;
      found.abort();
      return withReplies(
        entries,
        waiting.map(({ entry }) => entry.id),
      );
    }
    return new Map();
  }

  return {
    async publish(requests, principal, idempotency, trace) {
      const startedMs = now();
      const correlationData = () => randomBytes(16);
      const context = {
        principal,
        nowMs: startedMs,
        brokerRules,
        replyTopic,
        trace,
        correlationData,
      };
      const results = await record(requests, context, idempotency);
      const recorded = requests.flatMap((request, index) => {
        const result = results[index];
        return result?.ok === true ? [{ entry: result.entry, request }] : [];
      });
      const entries = await waited(recorded, startedMs);
      return results.map((result) => {
        if (!result.ok) return result;
        const entry = entries.get(result.entry.id) ?? result.entry;
        return { ok: true, entry: entryAt(entry, now()) };
      });
    },
    get: (id, budget) => store.entry(id, budget),
    list: (selection, isVisible, after) => store.list(selection, isVisible, after),
  };
}

/** Whether there is anything to wake the bridge or to wait for. */
function isOpen({ status, awaitsReply }: LedgerEntry, waitFor: WaitFor): boolean {
  return status === 'pending' || (status === 'sent' && waitFor === 'reply' && awaitsReply);
}

function withOutcome(entry: LedgerEntry, outcome: Outcome | undefined): LedgerEntry {
  if (outcome === undefined || outcome.status === 'pending') return entry;
  const { status, sentAt, hadSubscribers, awaitsReply, reply, error } = outcome;
  return {
    ...entry,
    status,
    ...(sentAt !== undefined && { sentAt }),
    ...(hadSubscribers !== undefined && { hadSubscribers }),
    ...(awaitsReply !== undefined && { awaitsReply }),
    ...(reply !== undefined && { reply }),
    ...(error !== undefined && { error }),
  };
}
