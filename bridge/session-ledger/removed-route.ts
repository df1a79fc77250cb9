// A route that the config no longer has: what its sessions hold becomes dead letters, up to a bound. Above it the broker
// keeps the rest, until somebody ends the sessions.
import type { Logger } from 'pino';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import { pause } from '../../functions/contract/pause.ts';
import type { RouteStatus } from '../../functions/contract/route-status.ts';
import type { Delivery, StreamedDelivery } from '../base/delivery.ts';
import type { Acquire } from '../base/leased.ts';
import type { Broker } from '../connection/access.ts';
import type { DeadLetterStore } from '../dead-letters/dead-letter-store.ts';
import type { Account } from '../memory/budget.ts';
import { type Member, startMember } from '../session/member.ts';
import type { SessionClocks } from '../session/session-clock.ts';
import type { SessionLedger } from './ledger.ts';
import type { Heir, LeftSession, TakenOver } from './left-session.ts';

/** Maximum that becomes dead letters by itself. */
export interface DrainBound {
  readonly messages: number;
  readonly bytes: number;
}

export const drainBound: DrainBound = { messages: 10_000, bytes: 100_000_000 };

export interface RemovedRouteOptions {
  readonly name: string;
  readonly ledger: SessionLedger;
  readonly broker: Broker;
  readonly deadLetters: DeadLetterStore;
  readonly clocks: SessionClocks;
  readonly memory: Account;
  readonly acquire: Acquire | undefined;
  readonly bound: DrainBound;
  readonly log: Logger;
}

/** As many dead letters are written at once. */
const window = 16;
const maxWindowBytes = 4 * 1024 * 1024;
/** Time for dead letters that are being written when the bridge stops. */
const closingMs = 1000;

export class RemovedRoute implements Heir {
  readonly filter = undefined;
  readonly #options: RemovedRouteOptions;
  /** What has been taken of each session, by client id; the ledger is told of it now and then. */
  readonly #drained = new Map<string, { messages: number; bytes: number }>();
  readonly #writing = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: RemovedRouteOptions) {
    this.#options = options;
  }

  /** Whether no more dead letters are made by themselves. */
  get isFull(): boolean {
    const { bound } = this.#options;
    const { messages, bytes } = this.#total;
    return messages >= bound.messages || bytes >= bound.bytes;
  }

  drainSession({ clientId, lease, openSubscriber }: TakenOver): Member {
    const { broker, clocks, memory, acquire, log } = this.#options;
    return startMember(
      {
        broker,
        clientId,
        window,
        maxWindowBytes,
        clock: clocks.of(lease),
        memory,
        lingerMs: 0,
        log,
        openSubscriber,
        deliverTo: () => (delivery) => this.#take(clientId, delivery, delivery.bytes),
        large: {
          admit: (packetBytes) => (packetBytes > maxWindowBytes ? 'stream' : 'buffer'),
          onDelivery: (delivery) => this.#take(clientId, delivery, delivery.payloadBytes),
        },
        onStalled: () => {},
        onQoS0Dropped: () => {},
      },
      acquire && ((_, ...rest) => acquire(lease, ...rest)),
      log,
    );
  }

  /** Writes down how much has been taken: a successor goes on counting. */
  async saveCounts(): Promise<void> {
    const { ledger } = this.#options;
    for (const [clientId, drained] of this.#drained)
      if (ledger.entry(clientId)?.drained?.messages !== drained.messages)
        await ledger.update(clientId, (entry) => ({ ...entry, drained }), this.#stop.signal);
  }

  status(sessions: readonly LeftSession[]): RouteStatus {
    const { messages } = this.#total;
    const [filter = ''] = this.#entries.flatMap(({ subscriptions, formerFilters }) => [
      ...subscriptions.map((each) => each.filter),
      ...formerFilters,
    ]);
    return {
      name: this.#options.name,
      filter,
      handler: '',
      state: 'removed',
      reason: this.isFull
        ? 'so much has become dead letters that the broker keeps the rest, until the route is ended'
        : 'the config no longer has it: what its sessions hold becomes dead letters',
      cure: 'Put the route back into the config to have its backlog delivered, or end it.',
      sessions: sessions.map(({ state }) => ({
        state: state.kind,
        ...('reason' in state && { reason: state.reason }),
      })),
      unsettledMessages: sessions.reduce((sum, { unsettled }) => sum + unsettled, 0),
      requestsInFlight: 0,
      concurrencyLimit: 1,
      deliveredPerSecond: 0,
      receivedMessages: messages,
      deliveredMessages: 0,
      retriedMessages: 0,
      quarantinedMessages: messages,
    };
  }

  /** Settles what is being written, and counts it. */
  async close(): Promise<void> {
    await Promise.race([
      Promise.allSettled(this.#writing),
      pause(closingMs, undefined, { ref: false }),
    ]);
    await this.saveCounts();
    this.#stop.abort();
  }

  get #entries() {
    const { ledger, name } = this.#options;
    return ledger.left.filter(({ entry }) => entry.route === name).map(({ entry }) => entry);
  }

  get #total(): { messages: number; bytes: number } {
    const total = { messages: 0, bytes: 0 };
    for (const entry of this.#entries) {
      const drained = this.#drained.get(entry.clientId) ?? entry.drained;
      total.messages += drained?.messages ?? 0;
      total.bytes += drained?.bytes ?? 0;
    }
    return total;
  }

  #take(clientId: string, delivery: Delivery | StreamedDelivery, bytes: number): void {
    const writing = this.#keep(clientId, delivery, bytes).finally(() => {
      this.#writing.delete(writing);
    });
    this.#writing.add(writing);
  }

  /** Not settled where there is no more room, or no more time: it stays at the broker. */
  async #keep(
    clientId: string,
    delivery: Delivery | StreamedDelivery,
    size: number,
  ): Promise<void> {
    if (this.isFull) return;
    const { ledger, deadLetters, name, log } = this.#options;
    const { messages, bytes } = this.#drained.get(clientId) ??
      ledger.entry(clientId)?.drained ?? { messages: 0, bytes: 0 };
    this.#drained.set(clientId, { messages: messages + 1, bytes: bytes + size });
    const letter = {
      route: name,
      reason: 'route removed',
      attempts: 0,
      quarantinedAt: new Date().toISOString(),
      message: delivery.message,
      ...('payload' in delivery && {
        payload: delivery.payload,
        payloadBytes: delivery.payloadBytes,
      }),
    };
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      try {
        await deadLetters.put(letter);
        return delivery.settle();
      } catch (error) {
        log.error({ reason: String(error) }, 'a dead letter of a removed route cannot be kept');
        const waitMs = fullJitterMs(attempt, 250, 30_000);
        await pause(waitMs, this.#stop.signal);
        // Its payload comes once on a connection.
        if ('payload' in delivery) return delivery.giveUp('a dead letter cannot be kept');
      }
    }
  }
}
