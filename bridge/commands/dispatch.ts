// The way of commands from the queue to the broker, for as long as this bridge holds it: one worker for each shard,
// and the states that follow from what the broker and the devices say.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import type { DeliverRequest, Outcome } from '../../functions/contract/command.ts';
import {
  type QueuedCommand,
  queueShardOf,
  queueShards,
} from '../../functions/contract/command-item.ts';
import { untilAborted } from '../aborted.ts';
import { Bell } from '../bell.ts';
import type { Broker } from '../broker/access.ts';
import type { Link } from '../broker/connection.ts';
import type { CommandsConfig } from '../config.ts';
import { profileOf } from '../profiles/profiles.ts';
import { Allowance } from './allowance.ts';
import type { CommandCounters } from './command-metrics.ts';
import type { Ledger, QueueEntry } from './ledger.ts';
import type { PublishResult, PublishWindow } from './publish-window.ts';
import { Publisher } from './publisher.ts';
import { Removals } from './removals.ts';
import { type Expected, Replies } from './replies.ts';
import { CommandStates } from './states.ts';

export interface DispatchOptions {
  readonly broker: Broker;
  readonly commands: CommandsConfig;
  readonly ledger: Ledger;
  readonly counters: CommandCounters;
  readonly log: Logger;
}

/** Most commands between the queue and their recorded state, and most bytes of their payloads. */
const maxUnderway = 512;
const maxUnderwayBytes = 16 * 1024 * 1024;
/** A reply may come for so long after the deadline of its command. */
const replyGraceMs = 60_000;

export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #publisher: Publisher;
  readonly #replies: Replies;
  readonly #removals: Removals;
  readonly #states: CommandStates;
  readonly #bells = Array.from({ length: queueShards }, () => new Bell());
  readonly #workers: Promise<unknown>;
  readonly #poll: NodeJS.Timeout;
  /** No more is taken from the queue. */
  readonly #stop = new AbortController();
  readonly #allowance = new Allowance(maxUnderway, maxUnderwayBytes);
  /** Commands between the queue and their recorded state. */
  readonly #underway = new Map<string, Promise<void>>();
  #window: PublishWindow | undefined;
  #waiting = 0;

  constructor(options: DispatchOptions) {
    const { broker, commands, ledger, counters, log } = options;
    this.#options = options;
    this.#states = new CommandStates({ ledger, counters, log });
    this.#removals = new Removals(ledger, log);
    this.#replies = new Replies({
      ackTimeoutMs: commands.ackTimeoutMs,
      maxSubscriptions: profileOf(broker.profile).limits.maxSubscriptions,
      rules: profileOf(broker.profile).rules,
      log,
      onReply: (id, result) => void this.#states.recordReply(id, result),
      onDropped: () => counters.repliesDropped++,
    });
    this.#publisher = new Publisher({
      broker,
      commands,
      log,
      onConnected: (link, window) => void this.#open(link, window),
      isExcused: (link) => this.#replies.mayHaveBroken(link),
    });
    this.#workers = Promise.all(this.#bells.map((bell, shard) => this.#work(shard, bell)));
    this.#poll = setInterval(() => this.#ringAll(), commands.pollSeconds * 1000);
  }

  get connected(): boolean {
    return this.#publisher.connected;
  }

  get inFlight(): number {
    return this.#publisher.inFlight;
  }

  /** Commands that were found in the queue and are not settled. */
  get waiting(): number {
    return this.#waiting + this.#underway.size;
  }

  /** Wakes the queue, and resolves with what became of the commands, in their order, at the latest after the timeout. */
  deliver(request: DeliverRequest): Promise<Outcome[]> {
    // Before the ledger is read: what changes after the reading is told to those who wait.
    const outcomes = this.#states.outcomes(request);
    for (const shard of new Set(request.commands.map(({ id }) => queueShardOf(id))))
      this.#bells[shard]?.ring();
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
    clearInterval(this.#poll);
    this.#stop.abort();
    this.#states.abandon();
    this.#removals.close();
    this.#replies.close();
    this.#ringAll();
    await this.#publisher.close();
    await this.#workers;
    await Promise.all(this.#underway.values());
  }

  async #settleAll(): Promise<void> {
    this.#ringAll();
    await this.#workers;
    await Promise.all(this.#underway.values());
    await Promise.all([this.#states.done(), this.#removals.done()]);
  }

  async #open(link: Link, window: PublishWindow): Promise<void> {
    await this.#replies.attach(link, () => window.inFlight > 0);
    if (window.closed) return;
    this.#window = window;
    this.#ringAll();
  }

  #ringAll(): void {
    for (const bell of this.#bells) bell.ring();
  }

  async #work(shard: number, bell: Bell): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      await bell.rung();
      try {
        if (this.#window !== undefined) await this.#empty(shard, this.#window);
        failures = 0;
      } catch (error) {
        this.#options.log.warn({ shard, reason: String(error) }, 'the queue cannot be worked on');
        const { signal } = this.#stop;
        await delay(fullJitterMs(failures++, 100, 10_000), undefined, { signal }).catch(() => {});
        bell.ring();
      }
    }
  }

  /** Goes once through a shard. A closed window ends it: what comes later must not overtake what is to come again. */
  async #empty(shard: number, window: PublishWindow): Promise<void> {
    const { ledger } = this.#options;
    let after: QueueEntry['head'] | undefined;
    do {
      if (window.closed || this.#stop.signal.aborted) return;
      const page = await ledger.queued(shard, after);
      after = page.next;
      let left = page.entries.length;
      this.#waiting += left;
      try {
        for (const entry of page.entries) {
          if (window.closed || this.#stop.signal.aborted) return;
          await this.#take(entry, window);
          left--;
          this.#waiting--;
        }
      } finally {
        this.#waiting -= left;
      }
    } while (after !== undefined);
  }

  async #take(entry: QueueEntry, window: PublishWindow): Promise<void> {
    const { id, bytes } = entry;
    // Its removal failed, or it was put there once more.
    if (this.#states.isSettled(id)) return this.#removals.add(entry.keys);
    if (this.#underway.has(id)) return;
    await this.#allowance.take(bytes);
    try {
      const { result } = await this.#publish(entry, window);
      this.#underway.set(id, this.#settle(entry, result));
    } catch (error) {
      this.#allowance.give(bytes);
      throw error;
    }
  }

  /** In an object, so that the order of the queue is kept without waiting for one result before the next publish. */
  async #publish(
    entry: QueueEntry,
    window: PublishWindow,
  ): Promise<{ result: PublishResult | Promise<PublishResult> }> {
    const { id, deadline } = entry;
    if (Date.parse(deadline) <= Date.now()) return { result: { kind: 'expired' } };
    const reason = this.#publisher.poisonReason(id);
    if (reason !== undefined) return { result: { kind: 'refused', reason } };
    const command = await this.#options.ledger.read(entry);
    if (command === undefined)
      return { result: { kind: 'refused', reason: 'a part of its payload is missing' } };
    const refusal = window.refusal(command);
    if (refusal !== undefined) return { result: { kind: 'refused', reason: refusal } };
    const obstacle = command.awaitsReply ? await this.#expectReply(command) : undefined;
    return { result: obstacle ?? window.publish(command) };
  }

  async #expectReply({
    id,
    deadline,
    properties,
  }: QueuedCommand): Promise<PublishResult | undefined> {
    const { responseTopic, correlationData } = properties;
    if (responseTopic === undefined) return { kind: 'refused', reason: 'it has no response topic' };
    const expected = await this.#expect(id, deadline, responseTopic, correlationData);
    // Whatever follows on its topic must not leave before it.
    if (expected.kind === 'offline') throw new Error('the connection broke before the publish');
    return expected.kind === 'refused' ? expected : undefined;
  }

  async #expect(
    commandId: string,
    deadline: string,
    topic: string,
    correlationData: Uint8Array | undefined,
  ): Promise<Expected> {
    const endsAtMs = Date.parse(deadline) + replyGraceMs;
    const expected = await this.#replies.expect({ commandId, topic, correlationData, endsAtMs });
    if (expected.kind === 'too many') {
      this.#options.counters.repliesNotAwaited++;
      this.#options.log.warn({ id: commandId }, 'too many replies are awaited: not for this one');
    }
    return expected;
  }

  /** Records what became of a command; only then does it leave the queue. */
  async #settle(entry: QueueEntry, publishing: PublishResult | Promise<PublishResult>) {
    const { id, keys, bytes } = entry;
    const result = await publishing;
    const isRecorded = await this.#states.recordResult(id, result);
    if (isRecorded) {
      this.#publisher.forget(id);
      this.#removals.add(keys);
      if (result.kind !== 'sent') this.#replies.end(id);
    }
    this.#underway.delete(id);
    this.#allowance.give(bytes);
  }

  /** Tells those who wait what the ledger says already; a command that was sent before is waited for again. */
  async #lookUp({ commands }: DeliverRequest): Promise<void> {
    const ids = commands.flatMap(({ id, waitFor }) => (waitFor === 'none' ? [] : [id]));
    if (ids.length === 0) return;
    for (const entry of await this.#states.lookUp(ids)) {
      const { id, status, deadline, awaitsReply, responseTopic, correlationData } = entry;
      if (status === 'sent' && awaitsReply && responseTopic !== undefined)
        void this.#expect(id, deadline, responseTopic, correlationData);
    }
  }
}
