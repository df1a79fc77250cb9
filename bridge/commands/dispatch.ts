// The way of commands from the queue to the broker, for as long as this bridge holds it, and the states that follow from
// what the broker and the devices say.
import type { Logger } from 'pino';
import type { DeliverRequest, Outcome } from '../../functions/contract/command.ts';
import {
  type AwaitedReply,
  awaitedBy,
  awaitedReplyKey,
} from '../../functions/table/awaited-reply.ts';
import { queueShardOf } from '../../functions/table/queued-command.ts';
import { untilAborted } from '../base/aborted.ts';
import type { Changes } from '../base/change-watch.ts';
import type { CommandsConfig } from '../config/config.ts';
import { rulesOf } from '../config/profile-settings.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import type { Broker } from '../connection/access.ts';
import type { Link } from '../connection/link.ts';
import type { CommandCounters } from '../metrics/command-metrics.ts';
import { Allowance } from './allowance.ts';
import { ApiClock } from './api-clock.ts';
import type { CommandSpans } from './command-spans.ts';
import type { Ledger, QueueEntry } from './ledger.ts';
import type { PublishResult, PublishWindow } from './publish-window.ts';
import { Publisher } from './publisher.ts';
import { QueueWorkers } from './queue-workers.ts';
import { Removals } from './removals.ts';
import { maxAwaited, Replies } from './replies.ts';
import { pauseBeforeRetry } from './retry.ts';
import { Sending, type Started } from './sending.ts';
import { CommandStates } from './states.ts';

export interface DispatchOptions {
  readonly broker: Broker;
  readonly commands: CommandsConfig;
  readonly ledger: Ledger;
  /** Whether there is anything to look for. */
  readonly changes: Changes;
  readonly counters: CommandCounters;
  /** Absent where no spans are collected. */
  readonly spans?: CommandSpans | undefined;
  readonly log: Logger;
  /** For tests. */
  readonly clock?: ApiClock;
}

/** Maximum commands between the queue and their recorded state, and maximum bytes of their payloads. */
const maxUnderway = 512;
const maxUnderwayBytes = 16 * 1024 * 1024;

export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #publisher: Publisher;
  readonly #replies: Replies;
  readonly #removals: Removals;
  readonly #states: CommandStates;
  readonly #clock: ApiClock;
  readonly #sending: Sending;
  readonly #workers: QueueWorkers;
  /** No more is taken from the queue. */
  readonly #stop = new AbortController();
  readonly #allowance = new Allowance(maxUnderway, maxUnderwayBytes);
  /** Commands between the queue and their recorded state. */
  readonly #underway = new Map<string, Promise<void>>();

  constructor(options: DispatchOptions) {
    const { broker, commands, ledger, counters, log } = options;
    this.#options = options;
    this.#clock = options.clock ?? new ApiClock();
    this.#states = new CommandStates({ ledger, counters, log });
    const now = () => this.#clock.now();
    this.#removals = new Removals(ledger, log);
    this.#replies = new Replies({
      ackTimeoutMs: commands.ackTimeoutMs,
      maxSubscriptions: profileOf(broker.profile).limits.maxSubscriptions,
      rules: broker.rules ?? rulesOf(broker),
      tryFilter: (filter, caller, isSuspect) =>
        isSuspect || this.#publisher.isDoubted(caller)
          ? this.#publisher.trials.subscribe(filter, caller)
          : undefined,
      now,
      log,
      onReply: (awaited, result) => {
        options.spans?.answered(awaited.commandId, awaited.topic);
        void this.#endReply(awaited, this.#states.recordReply(awaited.commandId, result));
      },
      onGivenUp: (awaited) =>
        void this.#endReply(awaited, this.#states.recordNotAwaited(awaited.commandId)),
      onDropped: () => counters.repliesDropped++,
    });
    this.#publisher = new Publisher({
      broker,
      commands,
      log,
      now,
      onConnected: (link, window) => this.#open(link, window),
      wasSubscribing: (link) => this.#replies.wasSubscribing(link),
    });
    this.#sending = new Sending({
      publisher: this.#publisher,
      replies: this.#replies,
      onRoom: () => this.#workers.ringAll(),
    });
    void this.#restoreReplies();
    this.#workers = new QueueWorkers({
      ledger,
      changes: options.changes,
      pollSeconds: commands.pollSeconds,
      take: (entry, window) => this.#take(entry, window),
      signal: this.#stop.signal,
      log,
    });
  }

  get connected(): boolean {
    return this.#publisher.connected;
  }

  get inFlight(): number {
    return this.#publisher.inFlight;
  }

  /** Commands that were found in the queue and are not settled. */
  get waiting(): number {
    return this.#workers.waiting + this.#underway.size;
  }

  /**
   * Wakes the queue, and resolves with what became of the commands, in their order, at the latest after the timeout.
   * `date` is when the request was sent, as it says itself.
   */
  deliver(request: DeliverRequest, date?: string): Promise<Outcome[]> {
    if (date !== undefined) this.#clock.observe(date);
    // Before the ledger is read: what changes after the reading is told to those who wait.
    const outcomes = this.#states.outcomes(request);
    for (const shard of new Set(request.commands.map(({ id }) => queueShardOf(id))))
      this.#workers.ring(shard);
    void this.#lookUp(request);
    return outcomes;
  }

  /** Takes no more from the queue, and waits until what is underway is settled or `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#stop.abort();
    await Promise.race([this.#settleAll(), untilAborted(signal)]);
    await this.close();
  }

  /** Ends at once. What is in flight stays in the queue; those who wait are told what is known. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#states.abandon();
    this.#removals.close();
    this.#replies.close();
    await this.#publisher.close();
    await this.#workers.done;
    await Promise.all(this.#underway.values());
    await this.#states.done();
  }

  async #settleAll(): Promise<void> {
    await this.#workers.done;
    await Promise.all(this.#underway.values());
    await Promise.all([this.#states.done(), this.#removals.done()]);
  }

  #open(link: Link, window: PublishWindow): void {
    this.#replies.attach(link);
    this.#workers.open(window);
  }

  /** Goes on waiting for what was awaited when another bridge, or the last process, had the commands. */
  async #restoreReplies(): Promise<void> {
    const { ledger, log } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return this.#replies.restore(await ledger.awaited(maxAwaited / 2));
      } catch (error) {
        log.warn({ reason: String(error) }, 'the awaited replies cannot be read yet');
        await pauseBeforeRetry(failures, signal);
      }
    }
  }

  /** Once the state is written, nobody has to listen for it again. */
  async #endReply({ caller, commandId }: AwaitedReply, recorded: Promise<boolean>): Promise<void> {
    if (await recorded) this.#removals.add([awaitedReplyKey(caller, commandId)]);
  }

  /** False where it has to stay in the queue: there are too many that wait. */
  async #take(entry: QueueEntry, window: PublishWindow): Promise<boolean> {
    const { id, bytes } = entry;
    // Its removal failed, or it was put there once more.
    if (this.#states.isSettled(id)) {
      this.#removals.add(entry.keys);
      return true;
    }
    if (this.#underway.has(id)) return true;
    if (!this.#sending.hasRoomFor(entry)) return false;
    await this.#allowance.take(bytes);
    try {
      const { result } = await this.#publish(entry, window);
      this.#underway.set(id, this.#settle(entry, result));
    } catch (error) {
      this.#allowance.give(bytes);
      throw error;
    }
    return true;
  }

  /** In an object, so that the order of the queue is kept without waiting for one result before the next publish. */
  async #publish(entry: QueueEntry, window: PublishWindow): Promise<Started> {
    if (Date.parse(entry.deadline) <= this.#clock.now()) return { result: { kind: 'expired' } };
    const command = await this.#options.ledger.read(entry);
    if (command === undefined)
      return { result: { kind: 'refused', reason: 'a part of its payload is missing' } };
    const refusal = window.refusal(command);
    if (refusal !== undefined) return { result: { kind: 'refused', reason: refusal } };
    const ended = this.#options.spans?.publishing(command);
    const result = this.#sending.publish(command, window);
    // A failure is met where the command is settled.
    if (ended !== undefined) void Promise.resolve(result).then(ended, () => {});
    return { result };
  }

  /** Records what became of a command; only then does it leave the queue. */
  async #settle(entry: QueueEntry, publishing: PublishResult | Promise<PublishResult>) {
    const { id, keys, bytes, awaited } = entry;
    const result = await publishing;
    const isRecorded = await this.#states.recordResult(id, result);
    if (isRecorded) {
      this.#publisher.forget(id);
      this.#removals.add(keys);
      if (result.kind !== 'sent') {
        this.#replies.end(id);
        if (awaited !== undefined) this.#removals.add([awaited]);
      }
    }
    this.#underway.delete(id);
    this.#allowance.give(bytes);
    // It is still in the queue, and may have been passed over there meanwhile.
    if (!isRecorded) this.#workers.ring(queueShardOf(id));
  }

  /** Tells those who wait what the ledger says already; a command that was sent before is waited for again. */
  async #lookUp({ commands }: DeliverRequest): Promise<void> {
    const ids = commands.flatMap(({ id, waitFor }) => (waitFor === 'none' ? [] : [id]));
    if (ids.length === 0) return;
    for (const entry of await this.#states.lookUp(ids)) {
      const { status, awaitsReply, responseTopic: topic } = entry;
      if (status !== 'sent' || !awaitsReply || topic === undefined) continue;
      void this.#replies.expect({ ...awaitedBy(entry), topic });
    }
  }
}
