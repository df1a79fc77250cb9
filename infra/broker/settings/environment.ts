// The broker's settings as environment variables: their names, their help, and what is wrong with them.
import * as z from 'zod';
import type { Parsed } from '../../../functions/contract/parse.ts';
import { type BrokerSettings, parseBrokerSettings, settingsSchema } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Setting {
  /** `BROKER_TLS_PORT` for `tls.port`, `BROKER_MAX_SESSIONS` for `limits.maxSessions`. */
  readonly variable: string;
  /** `tls.port`, as in the JSON file. */
  readonly field: string;
  readonly type: string;
  readonly description: string;
  readonly preset: unknown;
}

export interface EnvironmentOptions {
  /** What the environment is put over. */
  readonly document: unknown;
  /** Variables that start with `BROKER_` and mean something else. */
  readonly others: readonly string[];
  /** Settings that are said in another way here, with the rule that they break. */
  readonly excluded?: Readonly<Record<string, string>>;
}

/** The settings that a document and the environment give; the faults name the variables. */
export function brokerSettingsOf(
  environment: Environment,
  { document, others, excluded = {} }: EnvironmentOptions,
): Parsed<BrokerSettings> {
  const known = new Set([...others, ...settings.map(({ variable }) => variable)]);
  const misplaced = brokerVariables(environment)
    .filter((name) => !known.has(name) || name in excluded)
    .map((name) => ({ field: name, rule: excluded[name] ?? 'is not a known setting' }));
  const parsed = parseBrokerSettings(withEnvironment(document, environment));
  if (parsed.ok && misplaced.length === 0) return parsed;
  const wrong = parsed.ok ? [] : parsed.faults;
  const named = wrong.map(({ field, rule }) => {
    const variable = variableOf(field);
    return { field: variable === undefined ? field : `${field} (${variable})`, rule };
  });
  return { ok: false, faults: [...misplaced, ...named] };
}

/** Names of the variables that start with `BROKER_` and are set. */
export function brokerVariables(environment: Environment): string[] {
  return Object.keys(environment).filter(
    (name) => name.startsWith('BROKER_') && environment[name] !== '',
  );
}

/** The variable of a setting, given as in the JSON file: `BROKER_TLS_PORT` for `tls.port`. */
export function variableOf(field: string): string | undefined {
  return settings.find((setting) => setting.field === field)?.variable;
}

/** The settings as lines of `--help`, but for some; `withFields` shows what they are called in a JSON file. */
export function brokerHelp(
  excluded: Readonly<Record<string, string>> = {},
  withFields = false,
): string {
  return settings
    .filter(({ variable }) => !(variable in excluded))
    .map(({ variable, field, description, preset }) => {
      const suffix = preset === undefined ? '' : ` (default ${JSON.stringify(preset)})`;
      const column = withFields ? `${field.padEnd(32)} ` : '';
      return `  ${variable.padEnd(34)} ${column}${description}${suffix}`;
    })
    .join('\n');
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

function settingsIn(schema: JsonSchema, path: readonly string[] = []): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]): Setting[] => {
    if (typeof property === 'boolean') return [];
    const here = [...path, name];
    if (property.properties !== undefined) return settingsIn(property, here);
    const type = property.anyOf?.find((one) => typeof one === 'object' && one.type !== 'null');
    return [
      {
        variable: ['broker', ...here]
          .filter((part) => part !== 'limits')
          .map((part) => part.replace(/[A-Z]/g, '_$&').toUpperCase())
          .join('_'),
        field: here.join('.'),
        type: String((typeof type === 'object' && type.type) || property.type),
        description: property.description ?? '',
        preset: property.default,
      },
    ];
  });
}

const settings = settingsIn(z.toJSONSchema(settingsSchema, { io: 'input' }) as JsonSchema);

/** A settings document with what the environment says put over it. Empty variables count as none. */
function withEnvironment(document: unknown, environment: Environment): unknown {
  if (typeof document !== 'object' || document === null) return document;
  const merged = structuredClone(document) as Record<string, unknown>;
  for (const { variable, field, type } of settings) {
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    const path = field.split('.');
    let at = merged;
    for (const name of path.slice(0, -1)) {
      const next = at[name];
      if (typeof next !== 'object' || next === null) at[name] = {};
      at = at[name] as Record<string, unknown>;
    }
    at[path.at(-1) ?? ''] = settingValue(text, type);
  }
  return merged;
}

function settingValue(text: string, type: string): unknown {
  if (type === 'array') return text.split(',').map((part) => part.trim());
  if (text === 'null') return null;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return (type === 'integer' || type === 'number') && /^\d+$/.test(text) ? Number(text) : text;
}
