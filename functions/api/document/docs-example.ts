// Examples for the docs page: a request that the operation takes, as values and as a line for a shell, and its answer.
import { demoExamples } from './demo-examples.ts';
import type { OpenApiDocument, OperationObject } from './openapi-objects.ts';
import { type JsonSchema, schemasPointer } from './openapi-schemas.ts';

export interface ExampleRequest {
  readonly method: string;
  /** With its parameters filled in. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** JSON text. */
  readonly body?: string;
}

/** The schema itself, or the one that it refers to. */
export function resolved(schema: JsonSchema, { components }: OpenApiDocument): JsonSchema {
  const { $ref } = schema;
  return $ref === undefined
    ? schema
    : (components.schemas[$ref.slice(schemasPointer.length)] ?? {});
}

/** A value that keeps to the schema: its example, its default, or the plainest one of its type. */
export function exampleOf(reference: JsonSchema, document: OpenApiDocument): unknown {
  const known = demoExamples[(reference.$ref ?? '').slice(schemasPointer.length)];
  if (known !== undefined) return known;
  const schema = resolved(reference, document);
  const { examples, properties = {}, required = [], items, prefixItems } = schema;
  const given = examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (given !== undefined) return given;
  const inner = (part: unknown) => exampleOf((part ?? {}) as JsonSchema, document);
  const isShown = (name: string) =>
    required.includes(name) || (properties[name] as JsonSchema).examples !== undefined;
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.keys(properties)
          .filter(isShown)
          .map((name) => [name, inner(properties[name])]),
      );
    case 'array':
      return prefixItems === undefined ? [inner(items)] : prefixItems.map(inner);
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return schema.format === 'date-time' ? '2026-01-31T12:00:00Z' : 'text';
    default:
      return schema.anyOf?.[0] === undefined ? {} : inner(schema.anyOf[0]);
  }
}

/** A request with all parameters that it needs, and those others that have an example of their own. */
export function exampleRequest(
  method: string,
  path: string,
  { parameters = [], requestBody }: OperationObject,
  document: OpenApiDocument,
): ExampleRequest {
  const wanted = parameters
    .filter(({ required, schema }) => required || schema.examples !== undefined)
    .map(({ name, in: place, schema }) => ({
      name,
      place,
      value: String(exampleOf(schema, document)),
    }));
  const body = requestBody?.content['application/json']?.schema;
  return {
    method: method.toUpperCase(),
    path: wanted
      .filter(({ place }) => place === 'path')
      .reduce((filled, { name, value }) => filled.replace(`{${name}}`, () => value), path),
    query: wanted
      .filter(({ place }) => place === 'query')
      .map(({ name, value }) => [name, value] as const),
    ...(body !== undefined && { body: JSON.stringify(exampleOf(body, document)) }),
  };
}

/** The status of the first success, and its body as JSON text; none where it has none. */
export function exampleAnswer(
  { responses }: OperationObject,
  document: OpenApiDocument,
): { readonly status: string; readonly body?: string } {
  const [status = '200', response] = Object.entries(responses)[0] ?? [];
  const schema = response?.content?.['application/json']?.schema;
  if (schema === undefined) return { status };
  return { status, body: JSON.stringify(exampleOf(schema, document), null, 2) };
}

/** Where `npm start` listens; the page puts its own address in its place. */
export const exampleOrigin = 'http://127.0.0.1:8080';

/** The request as a curl command, which finds the token in `CAUSEWAY_TOKEN`. */
export function curlCommand({ method, path, query, body }: ExampleRequest): string {
  const start = method === 'GET' ? (query.length > 0 ? 'curl --get' : 'curl') : `curl -X ${method}`;
  return [
    `${start} ${/^[\w/.~-]*$/.test(path) ? exampleOrigin + path : shellQuoted(exampleOrigin + path)}`,
    '-H "Authorization: Bearer $CAUSEWAY_TOKEN"',
    ...query.map(([name, value]) => `--data-urlencode ${shellQuoted(`${name}=${value}`)}`),
    ...(body === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d ${shellQuoted(body)}`]),
  ].join(' \\\n  ');
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
