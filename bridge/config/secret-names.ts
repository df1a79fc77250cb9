// Names of secrets in a config, found by the schema of each field: a new field with a secret needs no second list.
import * as z from 'zod';
import { secretName } from './names.ts';

/** A described copy of a schema has it for a parent, and a registry looks there, too. */
const marked = z
  .registry<{ readonly isSecretName: true }>()
  .add(secretName, { isSecretName: true });

/** The names in a value that `schema` has parsed, each once. */
export function secretNamesIn(schema: z.core.$ZodType, value: unknown): string[] {
  return [...new Set(namesIn(schema, value))];
}

function namesIn(schema: z.core.$ZodType, value: unknown): string[] {
  if (marked.get(schema)?.isSecretName) return typeof value === 'string' ? [value] : [];
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nonoptional':
    case 'default':
    case 'prefault':
      return namesIn(def.innerType, value);
    case 'pipe':
      return namesIn(def.in, value);
    case 'union':
      return def.options.flatMap((option) => namesIn(option, value));
  }
  if (typeof value !== 'object' || value === null) return [];
  const fields: Readonly<Record<string, unknown>> = { ...value };
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape).flatMap(([name, field]) => namesIn(field, fields[name]));
    case 'record':
      return Object.values(fields).flatMap((field) => namesIn(def.valueType, field));
    case 'array':
      return Object.values(fields).flatMap((field) => namesIn(def.element, field));
    default:
      return [];
  }
}
