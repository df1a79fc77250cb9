// The messages of a route that something speaks against, and the successes of others that give it weight.
import type { RouteConfig } from '../config/config.ts';
import { type CulpritLimits, isCulprit, isIsolated, suspicionAfter } from './culprit.ts';
import type { Outgoing } from './outgoing.ts';

export class Suspects {
  readonly #limits: CulpritLimits;
  /** Under suspicion, and not yet isolated. */
  readonly #searched = new Set<Outgoing>();
  /** Requests of the route that stored something. */
  #served = 0;
  /** Whether others have had their success since the last failure. */
  #areNext = false;

  constructor({ tries, afterSeconds }: RouteConfig['failingMessage']) {
    this.#limits = { tries, afterMs: afterSeconds * 1000 };
  }

  /** Whether there may be a culprit that is still searched for. */
  get areThere(): boolean {
    return this.#searched.size > 0;
  }

  /**
   * Whether these may be sent now. One success of others is enough to give the next failure its weight: then it is
   * the turn of the suspects, or those would run out that speak for the handler; a window may have few.
   */
  mayGo(left: readonly Outgoing[]): boolean {
    return !this.areThere || !this.#areNext || left.some((item) => this.#searched.has(item));
  }

  /** Whether the next failure of the message weighs nothing: since its last one nothing has succeeded. */
  lacksWitness({ suspicion }: Outgoing): boolean {
    return suspicion?.servedAt === this.#served;
  }

  /** The handler is well, as it says by itself. */
  witnessed(): void {
    this.#served++;
  }

  /** The messages of a request that failed, one of which may be the cause. */
  suspect(run: readonly Outgoing[]): void {
    this.#areNext = false;
    const half = Math.ceil(run.length / 2);
    for (const item of run) {
      const counted = this.#note(item, run.length);
      if (counted) item.maxBatchSize = Math.min(item.maxBatchSize, half);
      if (this.isIsolated(item)) this.#searched.delete(item);
      else this.#searched.add(item);
    }
  }

  /** A message that the handler itself named as failed: it is not what brings it down. */
  name(item: Outgoing): void {
    this.#searched.delete(item);
    this.#note(item, 1);
  }

  /** The messages that one request stored. */
  clear(stored: readonly Outgoing[]): void {
    if (stored.length === 0) return;
    this.#served++;
    this.#areNext = true;
    if (this.#searched.size > 0) for (const item of stored) this.#searched.delete(item);
  }

  /** A message that the handler refuses, or that is settled in another way. */
  forget(item: Outgoing): void {
    this.#searched.delete(item);
  }

  isIsolated({ suspicion }: Outgoing): boolean {
    return suspicion !== undefined && isIsolated(suspicion, this.#limits);
  }

  isCulprit({ suspicion }: Outgoing): boolean {
    return suspicion !== undefined && isCulprit(suspicion, this.#limits, performance.now());
  }

  /** Whether the failure counts. */
  #note(item: Outgoing, together: number): boolean {
    const before = item.suspicion;
    const failure = { together, served: this.#served, nowMs: performance.now() };
    item.suspicion = suspicionAfter(before, failure);
    return item.suspicion.charges !== before?.charges;
  }
}
