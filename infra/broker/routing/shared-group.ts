// The members of a shared subscription take its messages in turn [MQTT-4.8.2].
import type { Subscription } from './subscription.ts';

export interface Member {
  /** Its client is connected. */
  readonly connected: boolean;
  /** Its client reads, and its window has room. */
  readonly ready: boolean;
  /** It keeps messages for a client that is away. */
  readonly kept: boolean;
  /** Its queue has no room: a message of QoS 1 or 2 would be dropped. */
  readonly full: boolean;
}

export class SharedGroup<M extends Member> {
  readonly #members: { member: M; subscription: Subscription }[] = [];
  #next = 0;

  get size(): number {
    return this.#members.length;
  }

  set(member: M, subscription: Subscription): void {
    const at = this.#members.findIndex((one) => one.member === member);
    if (at === -1) this.#members.push({ member, subscription });
    else this.#members[at] = { member, subscription };
  }

  delete(member: M): void {
    const at = this.#members.findIndex((one) => one.member === member);
    if (at !== -1) this.#members.splice(at, 1);
  }

  get members(): readonly M[] {
    return this.#members.map(({ member }) => member);
  }

  /**
   * Who gets the next message: the next one in turn that can take it now; else one that is connected; else, where the
   * message may wait, one that will come back. Where it may wait, those whose queue is full come last.
   */
  next(mayWait: boolean): { member: M; subscription: Subscription } | undefined {
    const ready = this.#nextWhere((member) => member.ready);
    if (ready !== undefined) return ready;
    if (!mayWait) return this.#nextWhere(({ connected }) => connected);
    return (
      this.#nextWhere(({ connected, full }) => connected && !full) ??
      this.#nextWhere(({ kept, full }) => kept && !full) ??
      this.#nextWhere(({ connected }) => connected) ??
      this.#nextWhere(({ kept }) => kept)
    );
  }

  #nextWhere(test: (member: M) => boolean): { member: M; subscription: Subscription } | undefined {
    const { length } = this.#members;
    for (let step = 0; step < length; step++) {
      const found = this.#members[(this.#next + step) % length];
      if (found === undefined || !test(found.member)) continue;
      this.#next = (this.#next + step + 1) % length;
      return found;
    }
    return undefined;
  }
}
