// The OpenAPI 3.1 document, made from the operations that the app serves: it cannot say anything else than they do.

import type * as z from 'zod';
import type { Answer, Operation } from '../interface/operation.ts';
import { headerName, headerObjects } from './openapi-headers.ts';
import type {
  OpenApiDocument,
  OperationObject,
  ParameterObject,
  ResponseObject,
} from './openapi-objects.ts';
import { codesByStatus, problemObject, problemSchema } from './openapi-problems.ts';
import { createSchemaCollector, type JsonSchema, type SchemaCollector } from './openapi-schemas.ts';

export interface OpenApiOptions {
  /** Version of the interface, such as `1.0.0`. */
  readonly version: string;
  /** Base URL of the operations. Default `/`: the host that the document came from. */
  readonly serverUrl?: string;
}

const tags = [
  { name: 'Messages', description: 'What devices have sent, as it was stored.' },
  { name: 'Commands', description: 'Messages to devices, and what became of them.' },
  { name: 'Dead letters', description: 'Messages that their handler refused for good.' },
  { name: 'Presence', description: 'Which clients of the broker are online.' },
  { name: 'Routes', description: 'What the bridge sends where, and whether it does.' },
  { name: 'Replays', description: 'Stored messages, or dead letters, once more to a handler.' },
  { name: 'Access', description: 'Who may do what, by which token.' },
] satisfies { name: Operation['tag']; description: string }[];

const description =
  'Stored MQTT messages, and commands to devices, over HTTP. Every error is a problem document (RFC 9457) with a stable `code`.';

/** The OpenAPI document of these operations. The same operations give the same document, to the byte. */
export function openApiDocument(
  operations: readonly Operation[],
  { version, serverUrl = '/' }: OpenApiOptions,
): OpenApiDocument {
  const collector = createSchemaCollector();
  const problem = collector.output(problemSchema);
  const paths: Record<string, Record<string, OperationObject>> = {};
  const ids = new Set<string>();
  for (const operation of operations) {
    const { id, method, path } = operation;
    if (ids.has(id) || paths[path]?.[method] !== undefined)
      throw new Error(`the operation ${id} is there twice`);
    ids.add(id);
    paths[path] = { ...paths[path], [method]: operationObject(operation, collector, problem) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Causeway',
      version,
      description,
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl }],
    tags: tags.filter(({ name }) => operations.some(({ tag }) => tag === name)),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token made with `npx causeway token`, or a JWT of the configured issuer.',
        },
      },
      schemas: Object.fromEntries(
        Object.entries(collector.schemas).sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    },
  };
}

function operationObject(
  operation: Operation,
  collector: SchemaCollector,
  problem: JsonSchema,
): OperationObject {
  const { id, tag, summary, description, params, query, headers, body, answers } = operation;
  const parameters = [
    ...parametersOf('path', params, collector),
    ...parametersOf('query', query, collector),
    ...parametersOf('header', headers, collector),
  ];
  const responses: Record<string, ResponseObject> = {};
  for (const [status, answer] of Object.entries(answers))
    responses[status] = answerObject(answer, collector);
  for (const [status, codes] of codesByStatus(operation)) {
    if (responses[status] !== undefined) throw new Error(`${id} has two kinds of ${status}`);
    responses[status] = problemObject(status, codes, problem);
  }
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        description: `At most ${body.maxBytes.toLocaleString('en')} bytes.`,
        content: { 'application/json': { schema: collector.body(body.schema) } },
      },
    }),
    responses,
  };
}

function parametersOf(
  place: ParameterObject['in'],
  schema: z.ZodType | undefined,
  collector: SchemaCollector,
): ParameterObject[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = collector.input(schema);
  // OpenAPI has no parameters of this name: the media types of the answers say what may be accepted.
  const { accept: _, ...described } = properties;
  return Object.entries(described).map(([name, property]) => {
    const { description, ...rest } = property as JsonSchema;
    return {
      name: place === 'header' ? headerName(name) : name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}

function answerObject(answer: Answer, collector: SchemaCollector): ResponseObject {
  const { description, headers, content } = answer;
  return {
    description,
    ...(headers !== undefined && { headers: headerObjects(headers) }),
    ...(content !== undefined && {
      content: Object.fromEntries(
        Object.entries(content).map(([type, schema]) => [
          type,
          { schema: collector.output(schema) },
        ]),
      ),
    }),
  };
}
