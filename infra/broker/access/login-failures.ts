// Wrong passwords by where they come from: how many more of them are looked at. Looking costs a CPU for 50 ms and more.
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

export interface LoginFailureLimits {
  /** Wrong passwords for one user name from one address, in a minute. */
  readonly maxLoginFailuresPerUser: number;
  /** Wrong passwords from one address, in a minute. */
  readonly maxLoginFailuresPerAddress: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** So many addresses, and names of them, are remembered; then the oldest is forgotten. */
const remembered = 10_000;
const minuteMs = 60_000;

export class LoginFailures {
  readonly #limits: LoginFailureLimits;
  readonly #now: () => number;
  readonly #addresses = new LRUCache<string, Bucket>({ max: remembered });
  readonly #names = new LRUCache<string, Bucket>({ max: remembered });
  /** Names that have got in from an address. */
  readonly #trusted = new LRUCache<string, true>({ max: remembered });

  constructor(limits: LoginFailureLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Whether a password is to be looked at. Names that exist and names that do not are treated alike, or a flood would
   * tell them apart. A name that has got in from there is not kept out by failures of other names: many clients can
   * share an address.
   */
  allows(address: string, name: string): boolean {
    const { maxLoginFailuresPerUser, maxLoginFailuresPerAddress } = this.#limits;
    const lane = laneKey(address, name);
    if (this.#left(this.#names.get(lane), maxLoginFailuresPerUser) < 1) return false;
    if (this.#trusted.get(lane)) return true;
    return this.#left(this.#addresses.get(address), maxLoginFailuresPerAddress) >= 1;
  }

  failed(address: string, name: string): void {
    const { maxLoginFailuresPerUser, maxLoginFailuresPerAddress } = this.#limits;
    this.#take(this.#names, laneKey(address, name), maxLoginFailuresPerUser);
    this.#take(this.#addresses, address, maxLoginFailuresPerAddress);
  }

  succeeded(address: string, name: string): void {
    this.#trusted.set(laneKey(address, name), true);
  }

  #left(bucket: Bucket | undefined, perMinute: number): number {
    if (bucket === undefined) return perMinute;
    const passed = (this.#now() - bucket.atMs) / minuteMs;
    return Math.min(perMinute, bucket.left + passed * perMinute);
  }

  #take(buckets: LRUCache<string, Bucket>, key: string, perMinute: number): void {
    const left = this.#left(buckets.get(key), perMinute);
    buckets.set(key, { left: Math.max(0, left - 1), atMs: this.#now() });
  }
}

const laneKey = (address: string, name: string) => `${address} ${name}`;

/** Whom an address belongs to: an IPv6 network of 64 bits is one machine's as easily as one address. */
export function addressBlock(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
