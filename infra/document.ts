// `npm run document`: the tables in our documents that are made from schemas and data. A test checks that they are
// current.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { bridgeConfigSchema } from '../bridge/config.ts';
import { runbook } from './aws/runbook.ts';
import { deploymentSchema } from './config.ts';
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
    const preset = property.default === undefined ? '' : `\`${presetText(property.default)}\``;
    return [
      `| \`${here}\` | ${property.description ?? ''} | ${isRequired ? 'required' : preset} |`,
    ];
  });
}

function presetText(preset: unknown): string {
  return typeof preset === 'object' ? JSON.stringify(preset) : String(preset);
}

function tableOf(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return ['| setting | meaning | default |', '| --- | --- | --- |', ...rowsOf(json)].join('\n');
}

function runbookTable(): string {
  const rows = Object.entries(runbook).map(
    ([alarm, { means, action }]) => `| ${alarm} | ${means} | ${action} |`,
  );
  return ['| alarm | what it means | what to do |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The documents with generated sections, and what stands in each. */
export const documents: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    settings: tableOf(settingsSchema),
    config: tableOf(deploymentSchema),
    runbook: runbookTable(),
    interop: readFileSync('test/interop/results.md', 'utf8').trimEnd(),
  },
  'bridge/README.md': { bridge: tableOf(bridgeConfigSchema) },
};

/** A document's text with its generated sections made anew. */
export function documented(text: string, sections: Readonly<Record<string, string>>): string {
  return Object.entries(sections).reduce((before, [name, table]) => {
    const section = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(\n<!-- end -->)`);
    if (!section.test(before)) throw new Error(`there is no section ${name}`);
    return before.replace(section, (_, start, end) => `${start}${table}${end}`);
  }, text);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, sections] of Object.entries(documents))
    writeFileSync(file, documented(readFileSync(file, 'utf8'), sections));
}
