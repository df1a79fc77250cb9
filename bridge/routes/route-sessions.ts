// The sessions of one route: those that its config wants, and those that the config no longer has while they are drained into
// it. What they bring goes to its forwarder.
import type { Logger } from 'pino';
import type { RouteStatus } from '../../functions/contract/route-status.ts';
import type { Delivery } from '../base/delivery.ts';
import type { Acquire } from '../base/leased.ts';
import type { RouteConfig } from '../config/config.ts';
import { largestPacketBytes } from '../config/memory.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import type { Broker } from '../connection/access.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { Account } from '../memory/budget.ts';
import type { RouteMetrics } from '../metrics/metrics.ts';
import { type Member, type MemberState, startMember } from '../session/member.ts';
import type { SessionClocks } from '../session/session-clock.ts';
import type { Subscriber } from '../session/subscriber.ts';
import { ForeignMessages } from '../session-ledger/foreign-messages.ts';
import { KeptSubscription } from '../session-ledger/kept-subscription.ts';
import type { SessionLedger } from '../session-ledger/ledger.ts';
import type { TakenOver } from '../session-ledger/left-session.ts';
import type { WantedSession } from '../session-ledger/plan.ts';

/** How many messages the broker keeps for a client id, where it tells: undefined where it knows none. */
export type BacklogOf = (clientId: string) => number | undefined;

export interface RouteSessionsOptions {
  readonly broker: Broker;
  readonly config: RouteConfig;
  readonly ledger: SessionLedger;
  readonly clocks: SessionClocks;
  /** Absent where there is one bridge, and every session is its own. */
  readonly acquire: Acquire | undefined;
  /** As `acquire`, for sessions that the config no longer has. */
  readonly acquireLeft: Acquire | undefined;
  /** Of the route, for what its sessions hold. */
  readonly memory: Account;
  readonly metrics: RouteMetrics;
  readonly forwarder: Pick<Forwarder, 'add' | 'addStreamed' | 'stalled'>;
  /** Resolves when a session with this lease may connect. */
  readonly beforeConnecting: (signal: AbortSignal) => Promise<void>;
  /** Reads the states of the routes; a bridge that takes a session over has to know of a pause meanwhile. */
  readonly readStates: () => Promise<void>;
  readonly log: Logger;
}

export class RouteSessions {
  readonly #options: RouteSessionsOptions;
  readonly #wanted: readonly WantedSession[];
  readonly #largestBytes: number;
  readonly #foreign: ForeignMessages;
  readonly #members: readonly Member[];
  /** Those that the config no longer has. */
  readonly #drained = new Set<Member>();
  /** Both. */
  #all: readonly Member[];
  #lost = 0;

  constructor(options: RouteSessionsOptions) {
    const { broker, config, ledger, acquire, metrics, log } = options;
    this.#options = options;
    this.#largestBytes = largestPacketBytes(config);
    const { filter, name } = config;
    this.#foreign = new ForeignMessages({ filter, counters: metrics.counters, log });
    this.#wanted = ledger.wanted.filter(({ route }) => route === name);
    const onSessionLost = () => {
      this.#lost++;
      metrics.sessionLost();
    };
    this.#members = this.#wanted.map((wanted) => {
      const kept = { ledger, wanted, broker, log, onSessionLost };
      const openSubscriber = (signal: AbortSignal) => KeptSubscription.open(kept, signal);
      return this.#start({ ...wanted, openSubscriber }, acquire);
    });
    this.#all = this.#members;
  }

  /** Of the sessions that the config wants. */
  get clientIds(): readonly string[] {
    return this.#wanted.map(({ clientId }) => clientId);
  }

  /** Where those stand that the config wants. */
  get states(): readonly MemberState[] {
    return this.#members.map((member) => member.state());
  }

  /** The same in the words of the API. */
  get statuses(): RouteStatus['sessions'] {
    return this.states.map((state, index) => ({
      state: state.kind,
      ...('reason' in state && { reason: state.reason }),
      ...this.#orderOf(this.#wanted[index]),
    }));
  }

  get warnings(): readonly string[] {
    return this.#members.flatMap((member) => member.warnings());
  }

  /** Sessions that the broker no longer had, since the bridge started. */
  get lost(): number {
    return this.#lost;
  }

  /** Messages taken from the broker that are not settled. */
  get unsettled(): number {
    return this.#all.reduce((sum, member) => sum + member.unsettled(), 0);
  }

  /** Messages without PUBACK. */
  get unacknowledged(): number {
    return this.#all.reduce((sum, member) => sum + member.unacknowledged(), 0);
  }

  /** Whether of some session no message can come before others are settled. */
  get isStalled(): boolean {
    return this.#all.some((member) => member.isStalled());
  }

  /** How long the oldest message waits that is not acknowledged; undefined where there is none. */
  get oldestWaitingMs(): number | undefined {
    const arrived = this.#all.flatMap((member) => member.oldestArrivedMs() ?? []);
    return arrived.length === 0 ? undefined : performance.now() - Math.min(...arrived);
  }

  /** Messages that the broker keeps for those that the config wants. */
  backlog(of: BacklogOf): number {
    return this.#wanted.reduce((sum, { clientId }) => sum + (of(clientId) ?? 0), 0);
  }

  /** Starts a session that the config no longer has; once it is closed, it is none of these any more. */
  drain(session: TakenOver): Member {
    const member = this.#start(session, this.#options.acquireLeft);
    this.#drained.add(member);
    this.#all = [...this.#members, ...this.#drained];
    return {
      ...member,
      close: async () => {
        await member.close();
        this.#drained.delete(member);
        this.#all = [...this.#members, ...this.#drained];
      },
    };
  }

  stopReading(): void {
    for (const member of this.#all) member.stopReading();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((member) => member.close()));
  }

  #start({ clientId, lease, openSubscriber }: TakenOver, acquire: Acquire | undefined): Member {
    const { broker, config, clocks, memory, metrics, forwarder, beforeConnecting, log } =
      this.#options;
    return startMember(
      {
        broker,
        clientId,
        window: config.window,
        maxWindowBytes: config.maxWindowBytes,
        clock: clocks.of(lease),
        // Without a session all is lost that is not acknowledged when the connection ends.
        unacknowledgedMs: broker.cleanSession
          ? undefined
          : profileOf(broker.profile).limits.unacknowledgedMs,
        memory,
        lingerMs: config.maxLingerMs,
        log,
        openSubscriber: async (signal) => {
          await beforeConnecting(signal);
          return openSubscriber(signal);
        },
        deliverTo: (subscriber) => (delivery) => this.#deliver(subscriber, delivery),
        large: {
          admit: (packetBytes) => (packetBytes > this.#largestBytes ? 'stream' : 'buffer'),
          onDelivery: (delivery) => {
            this.#countReceived(delivery);
            forwarder.addStreamed(delivery);
          },
        },
        onStalled: () => forwarder.stalled(),
        onQoS0Dropped() {
          metrics.counters.droppedQoS0++;
        },
      },
      acquire && ((_, ...waiting) => this.#takeOver(acquire, lease, ...waiting)),
      log,
    );
  }

  async #takeOver(acquire: Acquire, ...waiting: Parameters<Acquire>) {
    const lease = await acquire(...waiting);
    if (lease !== undefined) await this.#options.readStates();
    return lease?.lost.aborted ? undefined : lease;
  }

  #deliver(subscriber: Subscriber, delivery: Delivery): void {
    this.#countReceived(delivery);
    const owner = subscriber.ownerOf(delivery.message.topic);
    if (owner === 'own' || this.#foreign.admits(delivery, owner))
      this.#options.forwarder.add(delivery);
  }

  #countReceived({ message }: Pick<Delivery, 'message'>): void {
    const { counters } = this.#options.metrics;
    counters.received++;
    if (message.possibleDuplicate) counters.possibleDuplicates++;
  }

  #orderOf(session: WantedSession | undefined) {
    const step = session && this.#options.clocks.of(session.lease).lastStep;
    return step && { orderBrokenUntil: step.brokenUntil };
  }
}
