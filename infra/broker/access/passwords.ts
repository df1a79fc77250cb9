// Passwords against their bcrypt hashes, without stopping the broker: a check takes a CPU for 50 ms and more. So they
// wait in a fair queue, and who has sent many wrong ones is not looked at for a while.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { FairQueue } from './fair-queue.ts';
import { addressBlock, type LoginFailureLimits, LoginFailures } from './login-failures.ts';

/** bcrypt looks at no more than this. */
export const maxPasswordBytes = 72;

/** `busy`: too many wait, or the client waits no more; `limited`: too many wrong ones came from there. */
export type PasswordCheck = 'right' | 'wrong' | 'busy' | 'limited';

export interface PasswordLimits extends LoginFailureLimits {
  /** Checks that may wait at once. */
  readonly maxPasswordChecks: number;
}

export interface PasswordRequest {
  readonly password: Buffer;
  readonly hash: string;
  /** Who asks: the client's address and the user name that it gives, known or not. */
  readonly address: string;
  readonly username: string;
  /** Aborted when the client waits no more. */
  readonly signal: AbortSignal;
}

/** One check, and all who wait for it. */
interface Check {
  /** What makes two checks the same one. */
  readonly id: string;
  /** The password and its hash. */
  readonly key: string;
  readonly address: string;
  readonly name: string;
  readonly password: string;
  readonly hash: string;
  readonly waiting: Set<(outcome: PasswordCheck) => void>;
}

/** Passwords found right are remembered so long. */
const rememberMs = 10 * 60 * 1000;

export class Passwords {
  readonly #maxWaiting: number;
  readonly #failures: LoginFailures;
  readonly #queue = new FairQueue<Check>();
  readonly #checks = new Map<string, Check>();
  /** Keyed by HMAC with a key that only this process has: neither passwords nor plain digests lie in memory. */
  readonly #right = new LRUCache<string, true>({ max: 10_000, ttl: rememberMs });
  readonly #key = randomBytes(32);
  #running: Check | undefined;
  #worker: Worker | undefined;
  #closed = false;

  constructor(limits: PasswordLimits) {
    this.#maxWaiting = limits.maxPasswordChecks;
    this.#failures = new LoginFailures(limits);
  }

  /** What was found right within ten minutes needs no check, and is right in any flood. */
  async check(request: PasswordRequest): Promise<PasswordCheck> {
    const { password, hash, signal } = request;
    if (password.length > maxPasswordBytes) return 'wrong';
    const key = createHmac('sha256', this.#key)
      .update(`${hash}\0`)
      .update(password)
      .digest('base64');
    const address = addressBlock(request.address);
    // A name can have 64 KB.
    const name = createHash('sha256').update(request.username).digest('base64');
    if (this.#right.get(key)) {
      this.#failures.succeeded(address, name);
      return 'right';
    }
    if (!this.#failures.allows(address, name)) return 'limited';
    if (signal.aborted || this.#closed) return 'busy';
    return new Promise((resolve) => {
      const check = this.#checkOf({ key, address, name, password: password.toString(), hash });
      check.waiting.add(resolve);
      signal.addEventListener('abort', () => this.#leave(check, resolve), { once: true });
      if (this.#queue.size > this.#maxWaiting) {
        const dropped = this.#queue.dropLast();
        if (dropped !== undefined) this.#settle(dropped, 'busy');
      }
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (let check = this.#queue.shift(); check !== undefined; check = this.#queue.shift())
      this.#settle(check, 'busy');
    await this.#worker?.terminate();
  }

  /** A thousand devices that share an address and a user and come back at once are one check. */
  #checkOf(wanted: Omit<Check, 'id' | 'waiting'>): Check {
    const id = `${wanted.address} ${wanted.name} ${wanted.key}`;
    const known = this.#checks.get(id);
    if (known !== undefined) return known;
    const check: Check = { ...wanted, id, waiting: new Set() };
    this.#checks.set(id, check);
    this.#queue.push(check.address, check.name, check);
    return check;
  }

  #leave(check: Check, resolve: (outcome: PasswordCheck) => void): void {
    if (!check.waiting.delete(resolve)) return;
    resolve('busy');
    if (check.waiting.size > 0 || check === this.#running) return;
    this.#checks.delete(check.id);
    this.#queue.remove(check.address, check.name, check);
  }

  #settle(check: Check, outcome: PasswordCheck): void {
    this.#checks.delete(check.id);
    for (const resolve of check.waiting) resolve(outcome);
    check.waiting.clear();
  }

  /** Gives the thread the next check, where it has none. */
  #next(): void {
    while (this.#running === undefined) {
      const check = this.#queue.shift();
      if (check === undefined) return;
      const { key, address, name, password, hash } = check;
      // While it waited, another address may have sent the same, or this one many wrong ones.
      if (this.#right.get(key)) this.#settle(check, 'right');
      else if (!this.#failures.allows(address, name)) this.#settle(check, 'limited');
      else {
        this.#running = check;
        this.#worker ??= this.#start();
        this.#worker.postMessage({ password, hash });
      }
    }
  }

  #finished(outcome: PasswordCheck): void {
    const check = this.#running;
    if (check === undefined) return;
    this.#running = undefined;
    const { key, address, name } = check;
    if (outcome === 'right') {
      this.#right.set(key, true);
      this.#failures.succeeded(address, name);
    }
    if (outcome === 'wrong') this.#failures.failed(address, name);
    this.#settle(check, outcome);
    this.#next();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./password-worker.mjs', import.meta.url));
    worker.unref();
    worker.on('message', (right: boolean) => this.#finished(right ? 'right' : 'wrong'));
    worker.on('error', () => {});
    void once(worker, 'exit').then(() => {
      this.#worker = undefined;
      this.#finished('busy');
    });
    return worker;
  }
}
