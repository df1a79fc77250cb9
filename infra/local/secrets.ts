// The secrets of a config on one machine: a JSON file of their names and values, in place of Secrets Manager.
import { readFileSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
import * as z from 'zod';
import { jsonIn, withoutMark } from '../../bridge/base/given-text.ts';
import type { Secrets } from '../../bridge/base/secrets.ts';
import { faultsText, parseWith } from '../../functions/contract/parse.ts';
import { stampOf } from '../broker/settings/watched-files.ts';
import { bridgeSecretNames } from '../config/bridge-document.ts';
import type { CausewayConfig } from '../config/config.ts';
import { SettingError } from './setting-error.ts';
import type { Settings } from './settings.ts';

/** Secrets Manager keeps 64 KiB of text under a name. */
const maxSecretCharacters = 65_536;
const maxFileBytes = 8 * 1024 * 1024;

const valueRule = `must be a text of at most ${maxSecretCharacters} characters, or JSON that makes no longer one`;

/** An object or a list is its JSON: so `{"username": …}` needs no second quoting. */
const secretSchema = z
  .union([z.string(), z.record(z.string(), z.json()), z.array(z.json())], valueRule)
  .transform((value) => (typeof value === 'string' ? withoutMark(value) : JSON.stringify(value)))
  .refine((text) => text.length <= maxSecretCharacters, valueRule);

const fileSchema = z.record(z.string().min(1), secretSchema, 'must be a JSON object');

/**
 * The secrets of SECRETS_FILE, if there is one. Throws a {@link SettingError} where it cannot be used, or lacks what is
 * named: the bridge would wait for that as for a handler that is away.
 */
export function openSecrets(
  settings: Pick<Settings, 'SECRETS_FILE' | 'USE_CONFIG_BROKER' | 'WEBHOOKS'>,
  config: Pick<CausewayConfig, 'broker' | 'routes' | 'alerts'>,
  log: Logger,
): Secrets | undefined {
  const { SECRETS_FILE: file } = settings;
  const names = secretNamesOf(settings, config);
  if (file === undefined) {
    if (names.length === 0) return undefined;
    throw new SettingError(
      'SECRETS_FILE',
      `is needed: causeway.config.ts names ${names.join(', ')}`,
    );
  }
  try {
    return fileSecrets(file, log, names);
  } catch (error) {
    throw new SettingError('SECRETS_FILE', error instanceof Error ? error.message : String(error));
  }
}

/** The secrets that the config names for what runs on this machine, each once. */
function secretNamesOf(
  { USE_CONFIG_BROKER, WEBHOOKS }: Pick<Settings, 'USE_CONFIG_BROKER' | 'WEBHOOKS'>,
  { broker, routes, alerts }: Pick<CausewayConfig, 'broker' | 'routes' | 'alerts'>,
): string[] {
  return bridgeSecretNames({
    broker: USE_CONFIG_BROKER ? broker : undefined,
    routes: WEBHOOKS ? routes : undefined,
    alerts: WEBHOOKS ? alerts : undefined,
  });
}

/**
 * The secrets of a file as it is now: it is looked at whenever a secret is read, and one with faults changes nothing.
 * Throws, with all faults, where it cannot be used at the start, or lacks one of `names`. No value is repeated, here or
 * in the log.
 */
export function fileSecrets(file: string, log: Logger, names: readonly string[] = []): Secrets {
  let stamp = stampOf([file]);
  let secrets = readSecrets(file);
  const missing = names.filter((name) => !secrets.has(name));
  if (missing.length > 0)
    throw new Error(`${file}: lacks what causeway.config.ts names: ${missing.join(', ')}`);
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0)
    log.warn({ file, mode: mode.toString(8) }, 'others can read the secrets: chmod 600');

  function readAgain(): void {
    const now = stampOf([file]);
    if (now === stamp) return;
    stamp = now;
    try {
      secrets = readSecrets(file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ reason }, 'the secrets file cannot be used; the old one holds');
    }
  }

  return {
    async read(name) {
      readAgain();
      const text = secrets.get(name);
      if (text === undefined) throw new Error(`the secret ${name} is not in ${file}`);
      return text;
    },
    // A file that has changed is read again in any case.
    doubt() {},
  };
}

function readSecrets(file: string): ReadonlyMap<string, string> {
  const size = statSync(file).size;
  if (size > maxFileBytes) throw new Error(`${file}: is larger than ${maxFileBytes} bytes`);
  const document = jsonIn(readFileSync(file, 'utf8'));
  if (!document.ok) throw new Error(`${file}: ${document.mistake}`);
  const parsed = parseWith(fileSchema, document.value);
  if (!parsed.ok) throw new Error(`${file}: ${faultsText(parsed.faults)}`);
  return new Map(Object.entries(parsed.value));
}
