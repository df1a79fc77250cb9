// JSON Schemas of the OpenAPI document, made by zod from the very schemas that the code checks with.
import * as z from 'zod';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Where a document keeps the schemas that have an id. */
export const schemasPointer = '#/components/schemas/';

export interface SchemaCollector {
  /** What a caller may send as parameters. */
  input(schema: z.ZodType): JsonSchema;
  /**
   * What a caller may send as a body. Defaults are said in words: openapi-typescript takes a property that has a
   * `default` for one that is always there, and asks callers for it.
   */
  body(schema: z.ZodType): JsonSchema;
  /** What a caller gets: for answers. */
  output(schema: z.ZodType): JsonSchema;
  /** All schemas with an id (`.meta({ id })`) that were met so far, by it; the others stand where they are used. */
  readonly schemas: Record<string, JsonSchema>;
}

/**
 * Collects the schemas of a document. zod's own conversion is used, and no OpenAPI library: those we looked at
 * lose parts of the schemas, such as all but the first of a literal's values and the patterns of transformed strings.
 *
 * Throws where two different schemas have one id, also where one schema differs as input and output.
 */
export function createSchemaCollector(): SchemaCollector {
  const schemas: Record<string, JsonSchema> = {};

  function convert(schema: z.ZodType, io: 'input' | 'output', isBody = false): JsonSchema {
    const json = z.toJSONSchema(schema, {
      io,
      override(converted) {
        tidy(converted);
        if (isBody) sayDefault(converted.jsonSchema);
      },
    });
    const { $schema: _, $defs = {}, ...rest } = withPointers(json) as JsonSchema;
    for (const [id, definition] of Object.entries($defs)) {
      const known = schemas[id];
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition))
        throw new Error(`two schemas have the id ${id}`);
      schemas[id] = definition;
    }
    return rest;
  }

  return {
    input: (schema) => convert(schema, 'input'),
    body: (schema) => convert(schema, 'input', true),
    output: (schema) => convert(schema, 'output'),
    schemas,
  };
}

/** Puts right what zod leaves out or says twice. */
function tidy({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: JsonSchema;
}): void {
  const { def } = zodSchema._zod;
  // A default behind a transformation is of the type after it, so zod drops it from an input.
  if (def.type === 'default' && typeof def.defaultValue !== 'object')
    jsonSchema.default = def.defaultValue;
  // The text of a number in a URL is described as that number; a format's pattern repeats the format.
  if (jsonSchema.type === 'integer' || jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  // The bounds of every whole number in JavaScript say nothing.
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  // `base64` is no registered format; `contentEncoding` and the pattern say it.
  if (jsonSchema.format === 'base64') delete jsonSchema.format;
  // openapi-python-client, oapi-codegen and ogen stop at `items: false`: a tuple of one type is a list of so many.
  const { prefixItems: [first, ...others] = [], items } = jsonSchema;
  const isLikeFirst = (item: unknown) => JSON.stringify(item) === JSON.stringify(first);
  if (first !== undefined && items === false && others.every(isLikeFirst)) {
    jsonSchema.items = first;
    delete jsonSchema.prefixItems;
  }
  // zod knows a literal's type only as that of JavaScript.
  if (jsonSchema.type === 'number' && jsonSchema.enum?.every(Number.isInteger))
    jsonSchema.type = 'integer';
}

function sayDefault(jsonSchema: JsonSchema): void {
  const { default: value, description } = jsonSchema;
  if (value === undefined) return;
  const said = `Default \`${typeof value === 'string' ? value : JSON.stringify(value)}\`.`;
  jsonSchema.description = description === undefined ? said : `${description} ${said}`;
  delete jsonSchema.default;
}

/** The same JSON with references into `$defs` turned to the document's components. */
function withPointers(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withPointers);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) =>
      name === '$ref' && typeof value === 'string'
        ? [name, value.replace('#/$defs/', schemasPointer)]
        : [name, withPointers(value)],
    ),
  );
}
