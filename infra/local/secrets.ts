// The secrets of a config on one machine: a JSON file of their names and values, in place of Secrets Manager.
import { readFileSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
import * as z from 'zod';
import type { Secrets } from '../../bridge/secrets.ts';
import { faultsText, parseWith } from '../../functions/contract/parse.ts';
import { stampOf } from './broker/watched-files.ts';

/** Secrets Manager keeps 64 KiB of text under a name. */
const maxSecretCharacters = 65_536;
const maxFileBytes = 8 * 1024 * 1024;

const valueRule = `must be a text of at most ${maxSecretCharacters} characters, or JSON that makes no longer one`;

/** An object or a list is its JSON: so `{"username": …}` needs no second quoting. */
const secretSchema = z
  .union([z.string(), z.record(z.string(), z.json()), z.array(z.json())], valueRule)
  .transform((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  .refine((text) => text.length <= maxSecretCharacters, valueRule);

const fileSchema = z.record(z.string().min(1), secretSchema, 'must be a JSON object');

/**
 * The secrets of a file as it is now: it is looked at whenever a secret is read, and one with faults changes nothing.
 * Throws, with all faults, where it cannot be used at the start. No value is repeated, here or in the log.
 */
export function fileSecrets(file: string, log: Logger): Secrets {
  let stamp = stampOf([file]);
  let secrets = readSecrets(file);
  const mode = statSync(file).mode & 0o777;
  // An error, as `npm start` shows nothing below; it works all the same.
  if ((mode & 0o077) !== 0)
    log.error({ file, mode: mode.toString(8) }, 'others can read the secrets: chmod 600');

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
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // A syntax error's own message quotes the file.
    throw new Error(`${file}: ${error instanceof SyntaxError ? 'is not JSON' : error}`);
  }
  const parsed = parseWith(fileSchema, document);
  if (!parsed.ok) throw new Error(`${file}: ${faultsText(parsed.faults)}`);
  return new Map(Object.entries(parsed.value));
}
