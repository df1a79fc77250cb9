// Which config the deployment runs with, where two meet: while one rolls out, or is rolled back. A bridge whose config is
// no longer the deployment's takes no session over that the two do not agree on.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import type { Acquire } from '../base/leased.ts';
import type { Deployment } from './entry.ts';
import type { LedgerStore } from './ledger-store.ts';

export interface RunningDeploymentOptions {
  readonly store: LedgerStore;
  /** By the names of the routes, what of this bridge's config matters to sessions, hashed. */
  readonly routes: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** So long a lease is left to bridges of the other config; they look for it several times a second. */
  readonly giveWayMs?: number;
  /** Nobody of the other config has taken it for so long: there is none. */
  readonly abandonedMs?: number;
}

const retryMs = 1000;

export class RunningDeployment {
  readonly #options: RunningDeploymentOptions;
  #registered: Promise<void> | undefined;

  constructor(options: RunningDeploymentOptions) {
    this.#options = options;
  }

  /** Makes this bridge's config the deployment's, once; tries until it can. */
  register(signal: AbortSignal): Promise<void> {
    this.#registered ??= this.#retry(signal, () => this.#replace());
    return this.#registered;
  }

  /** Whether the deployment has the same sessions of this route; without one, of all routes. Rejects where it cannot tell. */
  async agrees(route?: string): Promise<boolean> {
    const { store, routes } = this.#options;
    const deployment = await store.readDeployment();
    if (deployment === undefined) return true;
    return route === undefined
      ? sameRoutes(deployment.routes, routes)
      : deployment.routes[route] === routes[route];
  }

  async isProbed(): Promise<boolean> {
    return (await this.#options.store.readDeployment())?.isProbed ?? false;
  }

  /** Client ids that a bridge without a ledger may have left have been looked for. */
  async probed(): Promise<void> {
    const deployment = await this.#options.store.readDeployment();
    if (deployment !== undefined)
      await this.#options.store.replaceDeployment(
        { ...deployment, version: deployment.version + 1, isProbed: true },
        deployment.version,
      );
  }

  /** Leases for sessions of a route, for as long as the deployment agrees on it; without a route, on all. */
  acquireFor(route: string | undefined, acquire: Acquire): Acquire {
    const { log, giveWayMs = 5000, abandonedMs = 60_000 } = this.#options;
    return async (leaseName, leaseLog, signal) => {
      await this.register(signal);
      let refusedSinceMs: number | undefined;
      while (!signal.aborted) {
        const lease = await acquire(leaseName, leaseLog, signal);
        if (lease === undefined) return undefined;
        if (await this.agrees(route).catch(() => false)) return lease;
        await lease.release();
        const nowMs = performance.now();
        if (refusedSinceMs === undefined)
          log.warn({ lease: leaseName }, 'the deployment has another config by now: giving way');
        refusedSinceMs ??= nowMs;
        // Where the ledger cannot be read, this is no better, and comes to nothing.
        if (nowMs - refusedSinceMs > abandonedMs) await this.#retry(signal, () => this.#replace());
        else await pause(giveWayMs, signal);
      }
      return undefined;
    };
  }

  /** False where another bridge was faster. */
  async #replace(): Promise<boolean> {
    const { store, routes, log } = this.#options;
    const before = await store.readDeployment();
    if (before !== undefined && sameRoutes(before.routes, routes)) return true;
    const next: Deployment = {
      version: (before?.version ?? 0) + 1,
      routes: { ...routes },
      ...(before?.isProbed !== undefined && { isProbed: before.isProbed }),
    };
    if (!(await store.replaceDeployment(next, before?.version))) return false;
    if (before !== undefined)
      log.info({ version: next.version }, 'the deployment has a new config');
    return true;
  }

  async #retry(signal: AbortSignal, attempt: () => Promise<boolean>): Promise<void> {
    while (!signal.aborted) {
      const isDone = await attempt().catch((error: unknown) => {
        const reason = String(error);
        this.#options.log.warn({ reason }, 'the deployment cannot be written to the ledger');
        return false;
      });
      if (isDone) return;
      await pause(retryMs * (0.5 + Math.random() / 2), signal);
    }
  }
}

function sameRoutes(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
