// The sessions that the config no longer wants: has each of them drained by the route that stands for it, and ends it when nothing
// comes any more. A session is ended only after the bridge has been ready for a while, as that cannot be undone.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import type { RouteStatus } from '../../functions/contract/route-status.ts';
import type { Acquire } from '../base/leased.ts';
import type { Broker } from '../connection/access.ts';
import type { RunningDeployment } from './deployment.ts';
import type { LeftEntry, SessionLedger } from './ledger.ts';
import { type Heir, LeftSession } from './left-session.ts';
import { endSession } from './left-subscription.ts';
import { type HasSession, probeSessions } from './probe.ts';
import type { RemovedRoute } from './removed-route.ts';

export interface LeftSessionsOptions {
  readonly ledger: SessionLedger;
  readonly deployment: RunningDeployment;
  /** The config's routes, by name. */
  readonly routes: ReadonlyMap<string, Heir>;
  readonly openRemoved: (name: string) => RemovedRoute;
  readonly broker: Broker;
  /** For sessions of no route in particular; absent where there is one bridge. */
  readonly acquire: Acquire | undefined;
  /** Absent where the broker tells nothing. */
  readonly hasSession: HasSession | undefined;
  readonly isReady: () => boolean;
  /** How long it has to be so before a session is ended. */
  readonly endAfterReadyMs: number;
  readonly log: Logger;
}

const tickMs = 1000;
/** Between looks at the ledger: other bridges write there. */
const lookMs = 60_000;
/** A session from which nothing has come for so long holds nothing. */
const maxQuietMs = 10_000;
/** Sessions of a bridge before the ledger have waited for long; what is starting goes first. */
const maxProbeAfterMs = 30_000;
/** Time to get the lease of a session that somebody wants to end. */
const leaseWaitMs = 5000;

export type EndOutcome = 'ended' | 'unknown' | 'unavailable';

export class LeftSessions {
  readonly #options: LeftSessionsOptions;
  readonly #stop = new AbortController();
  readonly #sessions = new Map<string, LeftSession>();
  readonly #removed = new Map<string, RemovedRoute>();
  readonly #running: Promise<void>;
  #readySinceMs: number | undefined;
  /** Undefined until it is known whether it was done. */
  #probing: boolean | undefined;
  #probeAtMs = 0;

  constructor(options: LeftSessionsOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Routes that the config no longer has, and whose sessions have not ended. */
  removedRoutes(): RouteStatus[] {
    const names = new Set<string>();
    for (const { entry, fate } of this.#options.ledger.left)
      if (fate.kind === 'removed') names.add(entry.route);
    return [...names].map((name) => this.#statusOf(name));
  }

  /** A line for each session that a route drains. */
  warningsOf(route: string): string[] {
    return this.#options.ledger.left.flatMap(({ entry, fate }) =>
      fate.kind === 'drained' && fate.route === route
        ? [`the session ${entry.clientId}, which the config no longer has, is drained and ended`]
        : [],
    );
  }

  /** Ends the sessions of a removed route, with all that they hold. */
  async end(route: string): Promise<{ outcome: EndOutcome; status?: RouteStatus }> {
    const { ledger } = this.#options;
    const leftOf = () =>
      ledger.left.filter(({ entry, fate }) => fate.kind === 'removed' && entry.route === route);
    if (leftOf().length === 0) return { outcome: 'unknown' };
    const ended = await Promise.all(leftOf().map((each) => this.#end(each)));
    // What other bridges had of it may have been ended there by now.
    if (!ended.every(Boolean)) await ledger.refresh().catch(() => {});
    const isEnded = leftOf().length === 0;
    return { outcome: isEnded ? 'ended' : 'unavailable', status: this.#statusOf(route) };
  }

  /** From now on none is taken over or ended. */
  stop(): void {
    this.#stop.abort();
  }

  /** After {@link stop}, and when the routes have closed those that they drain: closes the rest. */
  async close(): Promise<void> {
    await this.#running;
    await Promise.all([...this.#removed.values()].map((removed) => removed.close()));
    await this.#closeAll();
  }

  #statusOf(route: string): RouteStatus {
    const sessions = this.#options.ledger.left.flatMap(({ entry }) =>
      entry.route === route ? (this.#sessions.get(entry.clientId) ?? []) : [],
    );
    return this.#removedRoute(route).status(sessions);
  }

  async #run(): Promise<void> {
    const { deployment, ledger, log } = this.#options;
    const { signal } = this.#stop;
    await deployment.register(signal);
    let lookedMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      try {
        if (performance.now() - lookedMs >= lookMs) {
          await ledger.refresh();
          // A bridge with another config may want what this one does not.
          if (!(await deployment.agrees())) await this.#closeAll();
          lookedMs = performance.now();
        }
        await this.#tick();
      } catch (error) {
        log.warn({ reason: String(error) }, 'sessions that the config no longer has have to wait');
      }
      await pause(tickMs, signal);
    }
  }

  async #tick(): Promise<void> {
    const { isReady, endAfterReadyMs, deployment, ledger } = this.#options;
    if (!isReady()) this.#readySinceMs = undefined;
    else this.#readySinceMs ??= performance.now();
    const readyMs = this.#readySinceMs === undefined ? -1 : performance.now() - this.#readySinceMs;
    const { left } = ledger;
    if (left.length > 0 && (await deployment.agrees())) {
      for (const each of left) this.#drain(each);
      const mayEnd = readyMs >= endAfterReadyMs;
      for (const each of left) await this.#endWhereDrained(each, mayEnd);
      for (const removed of this.#removed.values()) await removed.saveCounts();
    }
    for (const [clientId, session] of this.#sessions)
      if (ledger.entry(clientId) === undefined || session.isEndedElsewhere)
        await this.#close(clientId, session);
    if (readyMs >= Math.min(maxProbeAfterMs, endAfterReadyMs)) await this.#probeOnce();
  }

  #drain({ entry, fate }: LeftEntry): void {
    const { ledger, broker, routes, log } = this.#options;
    const { clientId, route } = entry;
    const heir = fate.kind === 'removed' ? this.#removedRoute(route) : routes.get(fate.route);
    if (heir === undefined || this.#sessions.has(clientId)) return;
    if (fate.kind === 'removed' && this.#removedRoute(route).isFull) return;
    const into = fate.kind === 'removed' ? 'dead letters' : `the route ${fate.route}`;
    log.info({ clientId, into }, 'the config no longer has a session: it is drained');
    const lease = this.#leaseOf(entry);
    this.#sessions.set(clientId, new LeftSession({ ledger, clientId, lease, heir, broker, log }));
  }

  async #endWhereDrained({ entry, fate }: LeftEntry, mayEnd: boolean): Promise<void> {
    const { clientId, route } = entry;
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    const quietMs = Math.min(maxQuietMs, this.#options.endAfterReadyMs);
    if (session.isGone || (mayEnd && (await session.isDrained(quietMs)))) {
      this.#sessions.delete(clientId);
      await session.end();
    } else if (fate.kind === 'removed' && this.#removedRoute(route).isFull) {
      await this.#removedRoute(route).saveCounts();
      await this.#close(clientId, session);
    }
  }

  async #end({ entry }: LeftEntry): Promise<boolean> {
    const { ledger, broker, acquire, log } = this.#options;
    const { clientId } = entry;
    const session = this.#sessions.get(clientId);
    if (session !== undefined) {
      this.#sessions.delete(clientId);
      return session.end();
    }
    const waiting = AbortSignal.timeout(leaseWaitMs);
    const lease = await acquire?.(this.#leaseOf(entry), log, waiting);
    if (acquire !== undefined && lease === undefined) return false;
    const isEnded =
      (await endSession(broker, clientId)) && (await ledger.remove(clientId, waiting));
    await lease?.release();
    return isEnded;
  }

  /** The lease that a session was made with, but where a session of the config has it now with another client id. */
  #leaseOf({ lease, clientId }: LeftEntry['entry']): string {
    const isTaken = this.#options.ledger.wanted.some((wanted) => wanted.lease === lease);
    return isTaken ? `${lease}/${clientId}` : lease;
  }

  #removedRoute(name: string): RemovedRoute {
    const removed = this.#removed.get(name) ?? this.#options.openRemoved(name);
    this.#removed.set(name, removed);
    return removed;
  }

  async #probeOnce(): Promise<void> {
    const { deployment, broker, ledger, acquire, hasSession, log } = this.#options;
    const hasOwnIds = Object.keys(broker.clientIds).length > 0 || broker.onenet !== undefined;
    this.#probing ??= !broker.cleanSession && !hasOwnIds && !(await deployment.isProbed());
    if (!this.#probing || performance.now() < this.#probeAtMs) return;
    const { signal } = this.#stop;
    if (!(await probeSessions({ ledger, broker, acquire, hasSession, log, signal }))) {
      // Not at each tick: a broker that refuses them is not to be hammered.
      this.#probeAtMs = performance.now() + lookMs;
      return;
    }
    await deployment.probed();
    this.#probing = false;
  }

  async #close(clientId: string, session: LeftSession): Promise<void> {
    this.#sessions.delete(clientId);
    await session.close();
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#sessions].map((each) => this.#close(...each)));
  }
}
