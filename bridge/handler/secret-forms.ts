// What stands in each kind of secret that a handler's route names, how it is read, and which of them are malformed at the
// start. No value is in any message.
import { X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import * as z from 'zod';
import { jsonOrUndefined, parseWith } from '../../functions/contract/parse.ts';
import { pemIn } from '../base/given-text.ts';
import type { Secrets } from '../base/secrets.ts';
import type { RouteConfig } from '../config/config.ts';
import {
  basicCredentials,
  bearerToken,
  headerSecrets,
  secretHeaderValue,
  webhookSecret,
} from '../config/handler.ts';

export interface SecretForm<T> {
  /** What it must be, behind `the secret <name>`. */
  readonly rule: string;
  /** Undefined where it is something else. */
  parse(text: string): T | undefined;
}

/** Up to 8, so that one can be changed without a gap. */
const activeSecrets = z.array(webhookSecret).min(1).max(8);

/** The Standard Webhooks secrets in a text: one, one a line, or a JSON list. Undefined where it is none of these. */
export function webhookSecretsIn(text: string): string[] | undefined {
  return activeSecrets.safeParse(text.trim().startsWith('[') ? jsonOrUndefined(text) : lines(text))
    .data;
}

/** A certificate with its key, as the JSON of a secret has them: PEM both. */
export const certificateSchema = z.object({ certificate: z.string(), privateKey: z.string() });

export const secretForms = {
  webhook: {
    rule: 'must be whsec_ and the base64 of 24 to 64 bytes, or up to 8 of them in JSON or lines',
    parse: webhookSecretsIn,
  },
  bearer: {
    rule: 'must be a token: printable ASCII without spaces',
    // A token that was kept in a file or a console often ends with a line break.
    parse: (text) => checkedValue(bearerToken, text.trim()),
  },
  basic: {
    rule: 'must be a JSON object with username and password',
    parse: (text) => checkedValue(basicCredentials, jsonOrUndefined(text)),
  },
  header: {
    rule: 'must be the value of a header: 1 to 4096 characters of printable ASCII',
    parse: (text) => checkedValue(secretHeaderValue, text.trim()),
  },
  ca: {
    rule: 'must be the PEM of one or more CA certificates',
    parse(text) {
      const ca = pemIn(text);
      return isUsable(() => new X509Certificate(ca)) ? ca : undefined;
    },
  },
  clientCertificate: {
    rule: 'must be a JSON object with certificate and privateKey, PEM that belongs together',
    parse(text) {
      const given = checkedValue(certificateSchema, jsonOrUndefined(text));
      if (given === undefined) return undefined;
      const pair = { cert: pemIn(given.certificate), key: pemIn(given.privateKey) };
      return isUsable(() => createSecureContext(pair)) ? pair : undefined;
    },
  },
} satisfies Record<string, SecretForm<unknown>>;

/** The text of a secret. Rejects, with a reason that may be shown, where it cannot be read. */
export async function secretText(name: string, secrets: Secrets | undefined): Promise<string> {
  if (secrets === undefined) throw new Error(`there is no store for the secret ${name}`);
  return secrets.read(name);
}

/** Reads a secret. Rejects, with a reason that may be shown, where it cannot be read or is malformed. */
export async function readSecret<T>(
  name: string,
  form: SecretForm<T>,
  secrets: Secrets | undefined,
): Promise<T> {
  const value = form.parse(await secretText(name, secrets));
  if (value !== undefined) return value;
  // Mended there, it has to be read again.
  secrets?.doubt(name);
  throw new Error(faultOf(name, form));
}

export type SecretRoute = Pick<
  RouteConfig,
  'secretName' | 'bearerSecret' | 'basicSecret' | 'headers' | 'caSecret' | 'clientCertificateSecret'
>;

/** Time that the start waits for secrets: a store that is away stops nobody. */
const startMs = 5000;

/** A line for each secret that can be read and is malformed. */
export async function malformedSecrets(
  routes: readonly SecretRoute[],
  secrets: Secrets | undefined,
): Promise<string[]> {
  if (secrets === undefined) return [];
  const faults = routes.flatMap(namedForms).map(async ([name, form]) => {
    const text = await secrets.read(name).catch(() => undefined);
    return text === undefined || form.parse(text) !== undefined ? [] : faultOf(name, form);
  });
  const timer = new AbortController();
  const found = await Promise.race([
    Promise.all(faults),
    delay(startMs, [], { signal: timer.signal, ref: false }).catch(() => []),
  ]);
  timer.abort();
  return [...new Set(found.flat())];
}

function namedForms(route: SecretRoute): (readonly [name: string, form: SecretForm<unknown>])[] {
  const { secretName, bearerSecret, basicSecret, caSecret, clientCertificateSecret } = route;
  const named: readonly (readonly [string | undefined, SecretForm<unknown>])[] = [
    [secretName, secretForms.webhook],
    [bearerSecret, secretForms.bearer],
    [basicSecret, secretForms.basic],
    [caSecret, secretForms.ca],
    [clientCertificateSecret, secretForms.clientCertificate],
    ...headerSecrets(route).map(({ secret }) => [secret, secretForms.header] as const),
  ];
  return named.flatMap(([name, form]) => (name === undefined ? [] : [[name, form] as const]));
}

function faultOf(name: string, { rule }: SecretForm<unknown>): string {
  return `the secret ${name} ${rule}`;
}

function checkedValue<S extends z.ZodType>(schema: S, given: unknown): z.output<S> | undefined {
  const parsed = parseWith(schema, given);
  return parsed.ok ? parsed.value : undefined;
}

function isUsable(use: () => unknown): boolean {
  try {
    use();
    return true;
  } catch {
    return false;
  }
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
