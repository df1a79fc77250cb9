// Passwords against their bcrypt hashes, without stopping the broker: a check takes a CPU for 50 ms and more.
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';

/** bcrypt looks at no more than this. */
export const maxPasswordBytes = 72;

export type PasswordCheck = 'right' | 'wrong' | 'busy';

interface Answer {
  readonly id: number;
  readonly right: boolean;
}

/** Passwords found right are remembered so long. */
const rememberMs = 10 * 60 * 1000;

export class Passwords {
  readonly #maxPending: number;
  readonly #pending = new Map<number, (right: boolean | undefined) => void>();
  readonly #checking = new Map<string, Promise<PasswordCheck>>();
  /** Keyed by HMAC with a key that only this process has: neither passwords nor plain digests lie in memory. */
  readonly #right = new LRUCache<string, true>({ max: 10_000, ttl: rememberMs });
  readonly #key = randomBytes(32);
  #worker: Worker | undefined;
  #lastId = 0;

  /** More than `maxPending` checks at once are `busy`; what is remembered needs none. */
  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  async check(password: Buffer, hash: string): Promise<PasswordCheck> {
    if (password.length > maxPasswordBytes) return 'wrong';
    const key = createHmac('sha256', this.#key)
      .update(`${hash}\0`)
      .update(password)
      .digest('base64');
    if (this.#right.get(key)) return 'right';
    // A thousand devices that share a user and come back at once are one check.
    const running = this.#checking.get(key);
    if (running !== undefined) return running;
    if (this.#checking.size >= this.#maxPending) return 'busy';
    const check = this.#ask(password, hash).then((right) => {
      this.#checking.delete(key);
      if (right) this.#right.set(key, true);
      if (right === undefined) return 'busy';
      return right ? 'right' : 'wrong';
    });
    this.#checking.set(key, check);
    return check;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(password: Buffer, hash: string): Promise<boolean | undefined> {
    const id = ++this.#lastId;
    this.#worker ??= this.#start();
    this.#worker.postMessage({ id, password: password.toString(), hash });
    return new Promise((resolve) => this.#pending.set(id, resolve));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./password-worker.mjs', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, right }: Answer) => {
      this.#pending.get(id)?.(right);
      this.#pending.delete(id);
    });
    worker.on('error', () => {});
    void once(worker, 'exit').then(() => {
      this.#worker = undefined;
      for (const resolve of this.#pending.values()) resolve(undefined);
      this.#pending.clear();
    });
    return worker;
  }
}
