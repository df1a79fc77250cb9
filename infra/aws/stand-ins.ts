// Props that are known at deploy time only: tokens, and constructs such as secrets and functions. The config is checked as
// text and numbers, so each of them has a stand-in there, and what leaves for the template gets it back.
import { Aws, Fn, Token, Tokenization } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { invocationUrl } from '../../bridge/config/lambda-invocation.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';

type SecretField = 'secret' | 'secretName' | `${string}Secret`;

/** The same settings, with a secret for its name, and a function for a handler. */
export type WithConstructs<T> = T extends readonly (infer Element)[]
  ? readonly WithConstructs<Element>[]
  : T extends object
    ? {
        [K in keyof T]: K extends SecretField
          ? T[K] | ISecret
          : K extends 'handler'
            ? WithConstructs<T[K]> | IFunction
            : WithConstructs<T[K]>;
      }
    : T;

const rule = 'must be known at synth';

/** Numbers that may be tokens, each with one that is legal. Of a route, `*` is its index. */
const numbers: Readonly<Record<string, number>> = {
  retentionDays: 30,
  'routes.*.retentionDays': 30,
  'deadLetters.retentionDays': 30,
  'api.requestsPerSecond': 100,
  'api.memoryMiB': 512,
  'api.reservedConcurrency': 1,
  'ingest.memoryMiB': 512,
  'ingest.reservedConcurrency': 1,
  'table.maxReadUnitsPerSecond': 10,
  'table.maxWriteUnitsPerSecond': 10,
  'table.warmReadUnitsPerSecond': 12_000,
  'table.warmWriteUnitsPerSecond': 4000,
};

/** `https` URLs that may be tokens, or hold some: what is open for them, and asked of them, is the same for all. */
const urls: ReadonlySet<string> = new Set([
  'routes.*.handler.url',
  'alerts.url',
  'bridge.traces.endpoint',
  'api.oidc.issuer',
  'api.corsOrigins.*',
]);

/** Texts that may hold tokens: what is between two of them stays as it is. */
const texts: ReadonlySet<string> = new Set([
  'broker.url',
  'broker.serverName',
  'api.oidc.audience',
  'table.existingName',
  'push.onenet.productId',
]);

export interface StandIns {
  /** The settings, as text and numbers alone. */
  readonly input: unknown;
  /** The faults of the settings, with those of props that have no stand-in. */
  faults(found: readonly FieldFault[]): FieldFault[];
  /** The value with numbers that are tokens, which are no number to calculate with. */
  withNumbers<T>(config: T): T;
  /** The value with the tokens that its texts stand for. */
  restore<T>(value: T): T;
  /** The secret that a name stands for; undefined where it is a name. */
  secretOf(name: string): ISecret | undefined;
}

export function standInsFor(props: unknown): StandIns {
  const found = new Collector();
  const input = found.walk(props, '');
  const texts = [...found.texts].sort(([a], [b]) => b.length - a.length);
  const restoreText = (text: string) =>
    texts.reduce((whole, [standIn, token]) => whole.replaceAll(standIn, token), text);
  return {
    input,
    faults(faults) {
      const others = faults.filter(({ field }) => !found.unknown.has(field));
      return [
        ...[...found.unknown].map(([field, cure]) => ({ field, rule: `${rule}${cure}` })),
        ...others.map((fault) =>
          found.fields.has(fault.field) ? { ...fault, rule: `${rule}: it ${fault.rule}` } : fault,
        ),
      ];
    },
    withNumbers: (config) => mapped(config, '', (value, path) => found.numbers.get(path) ?? value),
    restore: (value) =>
      mapped(value, '', (one) => (typeof one === 'string' ? restoreText(one) : one)),
    secretOf: (name) => found.secrets.get(name),
  };
}

class Collector {
  readonly fields = new Set<string>();
  /** Fields that cannot be tokens, each with what can be given instead. */
  readonly unknown = new Map<string, string>();
  readonly numbers = new Map<string, number>();
  readonly secrets = new Map<string, ISecret>();
  /** What stands in a text for what. */
  readonly texts: (readonly [standIn: string, token: string])[] = [];
  #count = 0;

  walk(value: unknown, path: string): unknown {
    const field = path.replaceAll(/\.\d+(?=\.|$)/g, '.*');
    if (isSecret(value) && isSecretField(path)) return this.#secret(value);
    if (isFunction(value) && field === 'routes.*.handler')
      return { functionArn: this.#functionArn(value.functionArn) };
    if (Token.isUnresolved(value)) return this.#token(value, path, field);
    if (Array.isArray(value)) return value.map((one, index) => this.walk(one, `${path}.${index}`));
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        this.walk(inner, path === '' ? name : `${path}.${name}`),
      ]),
    );
  }

  #token(value: unknown, path: string, field: string): unknown {
    this.fields.add(path);
    const number = numbers[field];
    if (typeof value === 'number' && number !== undefined) {
      const text = Tokenization.stringifyNumber(value);
      this.texts.push([encodeURIComponent(String(value)), text], [String(value), text]);
      this.numbers.set(path, value);
      return number;
    }
    if (typeof value === 'string') {
      if (field === 'routes.*.handler.functionArn') return this.#functionArn(value);
      if (field === 'alarms.email') return this.#whole(value, `${this.#next()}@example.com`);
      const isWhole = Tokenization.reverseString(value).length === 1;
      if (urls.has(field) && isWhole) return this.#whole(value, `https://${this.#next()}`);
      if (urls.has(field) || texts.has(field)) return this.#parts(value);
    }
    this.unknown.set(path, isSecretField(path) ? ', or be an ISecret' : '');
    return value;
  }

  #secret(secret: ISecret): string {
    const name = this.#whole(secret.secretFullArn ?? secret.secretArn, this.#next());
    this.secrets.set(name, secret);
    return name;
  }

  #functionArn(functionArn: string): string {
    const known = `arn:aws:lambda:us-east-1:000000000000:function:${this.#next()}`;
    const parts = Fn.split(':', functionArn);
    const encoded = Fn.join('%3A', parts);
    const host = `https://lambda.${Fn.select(3, parts)}.${Aws.URL_SUFFIX}`;
    this.texts.push([invocationUrl(known), `${host}/2015-03-31/functions/${encoded}/invocations`]);
    return this.#whole(functionArn, known);
  }

  #whole(token: string, standIn: string): string {
    this.texts.push([standIn, token]);
    return standIn;
  }

  /** The text with a stand-in for each token in it, as a host may have it. */
  #parts(text: string): string {
    const { tokens } = Tokenization.reverseString(text);
    return tokens.reduce<string>(
      (whole, token) => whole.replaceAll(String(token), this.#whole(String(token), this.#next())),
      text,
    );
  }

  #next(): string {
    return `cdk-token-${String(this.#count++).padStart(4, '0')}`;
  }
}

function mapped<T>(value: T, path: string, change: (one: unknown, path: string) => unknown): T {
  const at = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`);
  if (Array.isArray(value))
    return value.map((one, index) => mapped(one, at(index), change)) as unknown as T;
  if (!isPlainObject(value)) return change(value, path) as T;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, mapped(inner, at(name), change)]),
  ) as T;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isSecretField(path: string): boolean {
  return /(^|\.)(secret|secretName|\w+Secret)$/.test(path);
}

function isSecret(value: unknown): value is ISecret {
  return typeof value === 'object' && value !== null && 'secretArn' in value;
}

function isFunction(value: unknown): value is IFunction {
  return typeof value === 'object' && value !== null && 'functionArn' in value && 'node' in value;
}
