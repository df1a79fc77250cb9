// `npm run document`: the tables of the README that come from schemas. A test checks that they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { bridgeConfigSchema } from '../bridge/config.ts';
import { settingsSchema } from './local/settings.ts';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
}

/** Rows of a Markdown table, one for each value that can be set. */
function rowsOf(schema: JsonSchema, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const here = path === '' ? name : `${path}.${name}`;
    if (property.properties !== undefined) return rowsOf(property, here);
    if (property.items?.properties !== undefined) return rowsOf(property.items, `${here}[]`);
    const isRequired = schema.required?.includes(name) ?? false;
    const preset = property.default === undefined ? '' : `\`${property.default}\``;
    return [
      `| \`${here}\` | ${property.description ?? ''} | ${isRequired ? 'required' : preset} |`,
    ];
  });
}

function tableOf(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return ['| setting | meaning | default |', '| --- | --- | --- |', ...rowsOf(json)].join('\n');
}

const sections: Record<string, string> = {
  settings: tableOf(settingsSchema),
  bridge: tableOf(bridgeConfigSchema),
};

/** The README with its generated sections made anew. */
export function documented(readme: string): string {
  return Object.entries(sections).reduce((text, [name, table]) => {
    const section = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(\n<!-- end -->)`);
    if (!section.test(text)) throw new Error(`the README has no section ${name}`);
    return text.replace(section, (_, start, end) => `${start}${table}${end}`);
  }, readme);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync('README.md', documented(readFileSync('README.md', 'utf8')));
}
