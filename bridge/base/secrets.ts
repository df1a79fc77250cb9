// Secrets by their names: read from Secrets Manager when they are needed, kept, and read again when somebody refuses
// them. Loaded only where the config names a secret, as the AWS SDK takes memory.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Logger } from 'pino';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import { withoutMark } from './given-text.ts';

export interface Secrets {
  /** The text of a secret. Rejects, with a reason that may be shown, where it cannot be read. */
  read(name: string): Promise<string>;
  /** Says that the secret was refused: it may have been rotated, and the next `read` asks for it again. */
  doubt(name: string): void;
}

/** A secret that was read more recently is not read again: a refusal is not always about the secret. */
export const minAgeMs = 30_000;

const retryBaseMs = 1000;
const retryCapMs = 30_000;
/** Time for one attempt of a call, of which the SDK makes three. */
const requestTimeoutMs = 5000;

/** `client` is by default that of the SDK's own environment variables. */
export function createSecrets(log: Logger, client = createClient()): Secrets {
  const secrets = new Map<string, CachedSecret>();
  function secretOf(name: string): CachedSecret {
    const secret = secrets.get(name) ?? new CachedSecret(name, client, log);
    secrets.set(name, secret);
    return secret;
  }
  return {
    read: (name) => secretOf(name).read(),
    doubt: (name) => secretOf(name).doubt(),
  };
}

function createClient(): SecretsManagerClient {
  return new SecretsManagerClient({
    requestHandler: {
      connectionTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
}

class CachedSecret {
  readonly #name: string;
  readonly #client: SecretsManagerClient;
  readonly #log: Logger;
  #value: string | undefined;
  #readAtMs = 0;
  #isDoubted = false;
  #reading: Promise<string> | undefined;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #reason = '';

  constructor(name: string, client: SecretsManagerClient, log: Logger) {
    this.#name = name;
    this.#client = client;
    this.#log = log;
  }

  async read(): Promise<string> {
    if (this.#value !== undefined && !this.#isDoubted) return this.#value;
    if (performance.now() >= this.#retryAtMs) {
      this.#reading ??= this.#fetch().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    if (this.#value !== undefined) return this.#value;
    throw new Error(this.#reason);
  }

  doubt(): void {
    if (performance.now() - this.#readAtMs >= minAgeMs) this.#isDoubted = true;
  }

  async #fetch(): Promise<string> {
    const secret = this.#name;
    try {
      const value = await this.#ask();
      if (this.#value !== undefined)
        this.#log.info({ secret, changed: value !== this.#value }, 'secret read again');
      this.#value = value;
      this.#readAtMs = performance.now();
      this.#isDoubted = false;
      this.#failures = 0;
      return value;
    } catch (error) {
      const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.#reason = `the secret ${secret} cannot be read: ${cause}`;
      this.#retryAtMs = performance.now() + fullJitterMs(this.#failures++, retryBaseMs, retryCapMs);
      this.#log.warn({ secret, reason: cause }, 'a secret cannot be read');
      // Refused or not, the old value is the best there is.
      if (this.#value !== undefined) return this.#value;
      throw new Error(this.#reason);
    }
  }

  async #ask(): Promise<string> {
    const { SecretString, SecretBinary } = await this.#client.send(
      new GetSecretValueCommand({ SecretId: this.#name }),
    );
    return withoutMark(SecretString ?? Buffer.from(SecretBinary ?? '').toString('utf8'));
  }
}
