// Records commands: in the ledger first, then in the queue, so that whatever is sent can be asked for. With an
// idempotency key exactly one of many callers records a command, and what that one left undone another one does.
import { setTimeout as delay } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { v7 as uuidv7 } from 'uuid';
import type { PublishRequest } from '../../contract/command.ts';
import { mapInParallel } from '../../contract/parallel.ts';
import { type Problem, problem } from '../../contract/problem.ts';
import { awaitedReplyItems } from '../../table/awaited-reply.ts';
import { createMarkChanges } from '../../table/change-marker.ts';
import { commandId } from '../../table/command-id.ts';
import { type LedgerEntry, ledgerItem } from '../../table/command-item.ts';
import type { Item } from '../../table/item.ts';
import { queueItems } from '../../table/queued-command.ts';
import { createBatchWrite } from './batch-write.ts';
import type { CommandStore } from './command-store.ts';
import { claimKey, type Idempotency, uuidsFrom } from './idempotency.ts';
import { type PlanContext, type PlannedCommand, planCommand } from './plan.ts';

/** A request to publish that keeps to its schema. */
export interface CommandRequest {
  readonly request: PublishRequest;
  readonly payload: Uint8Array;
}

export type CommandResult =
  | { readonly ok: true; readonly entry: LedgerEntry }
  | { readonly ok: false; readonly problem: Problem };

/** Records the commands, those of one topic in the order of the list; a result for each. */
export type RecordCommands = (
  requests: readonly CommandRequest[],
  context: PlanContext,
  idempotency?: Idempotency,
) => Promise<CommandResult[]>;

export interface RecorderOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly store: CommandStore;
  readonly now: () => number;
  readonly onError: (error: Error) => void;
}

/** Days that a command can be asked for after its deadline. */
const ledgerDays = 30;
/** Days that the queue keeps a command after its deadline, should the bridge not remove it. */
const queueDays = 1;
/** Who records a command has this long to put it into the queue before another does it, in milliseconds. */
const recorderGraceMs = 2000;
const writeBudgetMs = 3000;
const writesAtOnce = 16;

/** What is to be done for one request: nothing more, or to write the command in the ledger or only in the queue. */
type Step =
  | { readonly kind: 'done'; readonly result: CommandResult }
  | { readonly kind: 'ledger' | 'queue'; readonly command: PlannedCommand };

export function createRecorder(options: RecorderOptions): RecordCommands {
  const { client, tableName, store, now, onError } = options;
  const write = createBatchWrite({ client, tableName, onError, timeBudgetMs: writeBudgetMs });
  const markChanges = createMarkChanges({ client, tableName }, now);

  async function mark(): Promise<boolean> {
    try {
      await markChanges();
      return true;
    } catch (error) {
      onError(error as Error);
      return false;
    }
  }

  /** Records a command that others may be recording too, or have recorded. */
  async function recordOnce(command: PlannedCommand): Promise<Step> {
    if (await store.putOnce(toLedger(command))) return { kind: 'queue', command };
    const entry = await store.entry(command.entry.id);
    if (entry === undefined) return { kind: 'done', result: unavailable };
    const isLeft = entry.status === 'pending' && (await isLeftUnqueued(entry));
    return isLeft
      ? { kind: 'queue', command: asRecorded(command, entry) }
      : { kind: 'done', result: { ok: true, entry } };
  }

  /** Waits until a pending command is in the queue, or its recorder has had the time to put it there and has not. */
  async function isLeftUnqueued({ id, createdAt }: LedgerEntry): Promise<boolean> {
    for (;;) {
      if (await store.isQueued(id)) return false;
      // The bridge writes down a state before it removes a command from the queue: still pending after it was
      // not found there, it had not been put there.
      if ((await store.entry(id))?.status !== 'pending') return false;
      if (now() - Date.parse(createdAt) >= recorderGraceMs) return true;
      await delay(100);
    }
  }

  /** Puts commands into the queue; resolves with those that may not be in it. */
  async function enqueue(commands: readonly PlannedCommand[]): Promise<Set<PlannedCommand>> {
    const lost = new Set<PlannedCommand>();
    const items = new Map(commands.map((command) => [command, toQueue(command)]));
    const chunks = new Map<Item, PlannedCommand>();
    for (const [command, { chunks: parts }] of items)
      for (const chunk of parts) chunks.set(chunk, command);
    const lostOf = (owners: Map<Item, PlannedCommand>, unwritten: ReadonlySet<Item>) => {
      for (const item of unwritten) lost.add(owners.get(item) as PlannedCommand);
    };
    lostOf(chunks, await write([...chunks.keys()]));
    for (const round of queueRounds(commands)) {
      const heads = new Map<Item, PlannedCommand>();
      for (const command of round) {
        const head = items.get(command)?.head;
        if (head !== undefined && !lost.has(command)) heads.set(head, command);
      }
      lostOf(heads, await write([...heads.keys()]));
    }
    return lost;
  }

  return async (requests, context, idempotency) => {
    const planAll = (uuids: readonly string[]) =>
      requests.map(({ request, payload }, index) =>
        planCommand(request, payload, commandId(uuids[index] ?? '', request.topic), context),
      );
    // One after the other: they are what the queue is sorted by.
    let plans = planAll(requests.map(() => uuidv7()));
    if (idempotency !== undefined && plans.some(({ ok }) => ok)) {
      const claim = await claimKey(store, idempotency, uuidv7(), context.nowMs);
      if (!claim.ok) return requests.map(() => conflict);
      plans = planAll(uuidsFrom(claim.uuid, requests.length));
    }
    const steps = await mapInParallel(plans, writesAtOnce, async (plan): Promise<Step> => {
      if (!plan.ok) return { kind: 'done', result: plan };
      return idempotency === undefined ? { kind: 'ledger', command: plan } : recordOnce(plan);
    });

    const open = steps.filter((step) => step.kind !== 'done');
    const ledger = new Map<Item, PlannedCommand>();
    for (const { kind, command } of open)
      if (kind === 'ledger') ledger.set(toLedger(command), command);
    if (open.length === 0) return results(steps, new Set());
    // Whether the bridge can be woken or not, it looks into the queue from then on.
    const [unrecorded, isMarked] = await Promise.all([write([...ledger.keys()]), mark()]);
    if (!isMarked) return results(steps, new Set(open.map(({ command }) => command)));
    const lost = new Set([...unrecorded].map((item) => ledger.get(item)));
    const recorded = open.map(({ command }) => command).filter((command) => !lost.has(command));
    for (const command of await enqueue(recorded)) lost.add(command);

    return results(steps, lost);
  };
}

function results(steps: readonly Step[], lost: ReadonlySet<unknown>): CommandResult[] {
  return steps.map((step) => {
    if (step.kind === 'done') return step.result;
    return lost.has(step.command) ? unavailable : { ok: true, entry: step.command.entry };
  });
}

const unavailable: CommandResult = { ok: false, problem: problem('database-unavailable') };
const conflict: CommandResult = { ok: false, problem: problem('idempotency-conflict') };

/** The command as the one who recorded it made it: of the same request, at another time and with other chance. */
function asRecorded({ queued }: PlannedCommand, entry: LedgerEntry): PlannedCommand {
  const { deadline, correlationData } = entry;
  const properties = {
    ...queued.properties,
    ...(correlationData !== undefined && { correlationData }),
  };
  return { ok: true, entry, queued: { ...queued, deadline, properties } };
}

/**
 * Commands in rounds, no two of one topic in the same: written round by round, a topic's commands enter the queue
 * in order. The items of one BatchWriteItem do not, and the bridge may read between them.
 */
export function queueRounds(commands: readonly PlannedCommand[]): PlannedCommand[][] {
  const rounds: PlannedCommand[][] = [];
  const counts = new Map<string, number>();
  for (const command of commands) {
    const { topic } = command.entry;
    const round = counts.get(topic) ?? 0;
    counts.set(topic, round + 1);
    rounds[round] ??= [];
    rounds[round].push(command);
  }
  return rounds;
}

function toLedger({ entry }: PlannedCommand): Item {
  return ledgerItem(entry, expiryOf(entry.deadline, ledgerDays));
}

function toQueue({ queued }: PlannedCommand): { head: Item; chunks: Item[] } {
  const items = queueItems(queued, expiryOf(queued.deadline, queueDays));
  return {
    head: items.at(-1) as Item,
    chunks: [...items.slice(0, -1), ...awaitedReplyItems(queued)],
  };
}

function expiryOf(deadline: string, days: number): number {
  return Math.ceil(Date.parse(deadline) / 1000) + days * 86_400;
}
