// A schema as a Markdown table: a row for each value that can be set, with its meaning, what it can be, and its default.
import * as z from 'zod';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Row {
  readonly setting: string;
  readonly meaning: string;
  readonly values: readonly string[];
  readonly preset: string;
}

export function settingsTable(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return [
    '| setting | meaning | values | default |',
    '| --- | --- | --- | --- |',
    ...rowsOf(json).map(
      ({ setting, meaning, values, preset }) =>
        `| \`${setting}\` | ${meaning} | ${values.join(', ')} | ${preset} |`,
    ),
  ].join('\n');
}

function rowsOf(schema: JsonSchema, path = ''): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const setting = path === '' ? name : `${path}.${name}`;
    const inside = rowsInside(property, setting);
    if (inside.length > 0) return inside;
    const isRequired = schema.required?.includes(name) ?? false;
    const preset = property.default === undefined ? '' : code(property.default);
    const meaning = property.description ?? '';
    return [
      { setting, meaning, values: valuesOf(property), preset: isRequired ? 'required' : preset },
    ];
  });
}

/** The rows of what an object, a list of objects or a union of objects holds. */
function rowsInside(schema: JsonSchema, path: string): Row[] {
  if (schema.properties !== undefined) return rowsOf(schema, path);
  if (schema.items !== undefined) return rowsInside(schema.items, `${path}[]`);
  return merged((schema.oneOf ?? schema.anyOf ?? []).map((option) => rowsOf(option, path)));
}

/** A field that only some options of a union have says with which; one that all have stands once, with all its values. */
function merged(options: readonly (readonly Row[])[]): Row[] {
  const rows = new Map<string, Row>();
  for (const option of options) {
    const kind = option.find(({ values }) => values.length === 1);
    for (const row of option) {
      const { setting } = row;
      const known = rows.get(setting);
      const isShared = options.every((other) => other.some((one) => one.setting === setting));
      if (known !== undefined)
        rows.set(setting, {
          ...known,
          meaning: known.meaning === row.meaning ? row.meaning : `${known.meaning}; ${row.meaning}`,
          values: [...new Set([...known.values, ...row.values])],
        });
      else if (isShared || kind === undefined) rows.set(setting, row);
      else rows.set(setting, { ...row, meaning: `${row.meaning} (${kind.values} only)` });
    }
  }
  return [...rows.values()];
}

/** The values or the range that a field takes, where it is one of few or a number. */
function valuesOf({
  type,
  enum: choice,
  const: only,
  minimum,
  maximum,
  items,
  ...schema
}: JsonSchema): string[] {
  if (only !== undefined) return [code(only)];
  if (choice !== undefined) return choice.map(code);
  if (type === 'boolean') return [code(true), code(false)];
  if (items !== undefined) return valuesOf(items);
  const options = schema.anyOf ?? schema.oneOf ?? [];
  if (options.length > 0) return options.flatMap(valuesOf);
  if (type !== 'integer' && type !== 'number') return [];
  const [from, to] = [minimum, maximum].map((bound) =>
    Number.isSafeInteger(bound) && Math.abs(bound ?? 0) < Number.MAX_SAFE_INTEGER
      ? bound
      : undefined,
  );
  if (from === undefined) return to === undefined ? [] : [`up to ${to}`];
  return [to === undefined ? `from ${from}` : `${from} to ${to}`];
}

function code(value: unknown): string {
  return `\`${typeof value === 'object' ? JSON.stringify(value) : String(value)}\``;
}
