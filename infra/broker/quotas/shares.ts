// What one user may have of what all share, and what is kept free for the server's own: its bridge must get its sessions
// whatever others have taken.
import { isOwn } from '../access/own-user.ts';

/** Who there is to share with. */
export interface Parties {
  /** Whether clients are told apart; without users, all of them are one, which may have everything. */
  readonly users: boolean;
  /** Whether the server has clients of its own. */
  readonly own: boolean;
}

export const noParties: Parties = { users: false, own: false };

export interface ShareLimits {
  /** In words, as `retained messages`. */
  readonly what: string;
  /** Of all together, and the name of that setting. */
  readonly max: number;
  readonly maxSetting: string;
  /** Of one user, and the name of that setting. Anonymous clients are one user. */
  readonly perUser: number;
  readonly perUserSetting: string;
}

type User = string | undefined;

export class Shares {
  readonly #limits: ShareLimits;
  readonly #parties: Parties;
  /** A tenth of all is the server's alone. */
  readonly #reserved: number;
  readonly #held = new Map<User, number>();
  #total = 0;
  /** Of these, the server's own. */
  #own = 0;

  constructor(limits: ShareLimits, parties: Parties) {
    this.#limits = limits;
    this.#parties = parties;
    this.#reserved = parties.own ? Math.ceil(limits.max / 10) : 0;
  }

  /** Why the user cannot have so much more; undefined where it can. */
  fault(user: User, more = 1): string | undefined {
    const { max, maxSetting, perUser, perUserSetting } = this.#limits;
    const held = this.#held.get(user) ?? 0;
    const own = isOwn(user);
    // More than its reserve the server's own has as others do.
    if (own && held + more <= this.#reserved) return undefined;
    if ((own ? this.#parties.own : this.#parties.users) && held + more > perUser)
      return this.#text(user, `may have ${perUser} (${perUserSetting})`);
    const free = own ? 0 : Math.max(0, this.#reserved - this.#own);
    if (this.#total + more <= max - free) return undefined;
    return this.#text(
      user,
      `there is room for ${max - free} beside the server's own (${maxSetting})`,
    );
  }

  /** Notes that the user has so much more; less, where it is negative. */
  add(user: User, more: number): void {
    const held = (this.#held.get(user) ?? 0) + more;
    if (held === 0) this.#held.delete(user);
    else this.#held.set(user, held);
    this.#total += more;
    if (isOwn(user)) this.#own += more;
  }

  #text(user: User, rule: string): string {
    const held = this.#held.get(user) ?? 0;
    return `${user ?? 'anonymous'} has ${held} of ${this.#total} ${this.#limits.what}, and ${rule}`;
  }
}
