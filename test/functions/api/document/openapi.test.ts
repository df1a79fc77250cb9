import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { openApiDocument } from '../../../../functions/api/document/openapi.ts';
import type { Operation } from '../../../../functions/api/interface/operation.ts';

const lamp = z
  .strictObject({
    level: z.literal([0, 1, 2]).describe('Brightness.'),
    name: z
      .string()
      .regex(/^lamp-/)
      .optional(),
    since: z.iso.datetime({ offset: true }),
  })
  .meta({ id: 'Lamp', examples: [{ level: 1, since: '2026-01-31T12:00:00Z' }] });

const readLamp: Operation = {
  id: 'readLamp',
  method: 'get',
  path: '/v1/lamps/{id}',
  tag: 'Messages',
  summary: 'One lamp',
  params: z.strictObject({ id: z.string().describe('Which one.') }),
  query: z.strictObject({
    limit: z
      .string()
      .regex(/^\d+$/)
      .transform(Number)
      .default(100)
      .meta({ type: 'integer', minimum: 1, maximum: 1000 }),
  }),
  headers: z.object({ 'idempotency-key': z.string().optional() }),
  answers: {
    200: {
      description: 'The lamp.',
      headers: { Link: 'The next page.' },
      content: { 'application/json': lamp },
    },
  },
  problems: ['forbidden'],
};

const changeLamp: Operation = {
  id: 'changeLamp',
  method: 'post',
  path: '/v1/lamps',
  tag: 'Commands',
  summary: 'Change a lamp',
  body: {
    schema: z.strictObject({ to: z.string().transform(Number).pipe(z.int()) }),
    maxBytes: 10,
  },
  answers: { 204: { description: 'Changed.' } },
  problems: ['bridge-unavailable'],
};

const document = (...operations: Operation[]) =>
  openApiDocument(operations, { version: '1.0.0', serverUrl: 'https://causeway.test' });

test('parameters are described as a caller writes them', () => {
  expect(document(readLamp).paths['/v1/lamps/{id}']?.['get']?.parameters).toEqual([
    {
      name: 'id',
      in: 'path',
      required: true,
      description: 'Which one.',
      schema: { type: 'string' },
    },
    {
      name: 'limit',
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    },
    { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string' } },
  ]);
});

test('a schema with an id becomes a component, whole', () => {
  const { paths, components } = document(readLamp);
  expect(paths['/v1/lamps/{id}']?.['get']?.responses['200']).toEqual({
    description: 'The lamp.',
    headers: { Link: { description: 'The next page.', schema: { type: 'string' } } },
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Lamp' } } },
  });
  expect(components.schemas['Lamp']).toMatchObject({
    properties: {
      level: { enum: [0, 1, 2], description: 'Brightness.' },
      name: { type: 'string', pattern: '^lamp-' },
      since: { type: 'string', format: 'date-time' },
    },
    required: ['level', 'since'],
    additionalProperties: false,
  });
});

test('a body is what a caller sends, before it is transformed', () => {
  expect(document(changeLamp).paths['/v1/lamps']?.['post']?.requestBody).toEqual({
    required: true,
    description: 'At most 10 bytes.',
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: { to: { type: 'string' } },
          required: ['to'],
          additionalProperties: false,
        },
      },
    },
  });
});

test('what client generators do not read is said in a way that they do', () => {
  const body = z.strictObject({
    pairs: z.array(z.tuple([z.string(), z.string()])),
    qos: z.literal([0, 1]).default(1).describe('MQTT QoS.'),
    name: z.string().default('lamp'),
  });
  const changed = document({ ...changeLamp, body: { schema: body, maxBytes: 10 } });
  const content = changed.paths['/v1/lamps']?.['post']?.requestBody?.content;
  expect(content?.['application/json']?.schema).toMatchObject({
    properties: {
      pairs: { items: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 2 } },
      qos: { type: 'integer', enum: [0, 1], description: 'MQTT QoS. Default `1`.' },
      name: { type: 'string', description: 'Default `lamp`.' },
    },
    required: ['pairs'],
  });
  expect(JSON.stringify(content)).not.toMatch(/"default"|"prefixItems"|"items":false/);
});

test('each operation has its own problems and those that its form brings', () => {
  const codes = (operation: Operation) =>
    Object.entries(document(operation).paths[operation.path]?.[operation.method]?.responses ?? {})
      .map(([status, { content }]) => [
        status,
        content?.['application/problem+json']?.schema.properties?.['code'],
      ])
      .filter(([, code]) => code !== undefined);
  expect(codes(readLamp)).toEqual([
    ['400', { enum: ['invalid-request'] }],
    ['401', { enum: ['unauthorized'] }],
    ['403', { enum: ['forbidden'] }],
    ['404', { enum: ['not-found'] }],
    ['429', { enum: ['rate-limited'] }],
    ['500', { enum: ['internal'] }],
    ['503', { enum: ['issuer-unavailable', 'database-unavailable'] }],
  ]);
  expect(codes(changeLamp)).toEqual([
    ['400', { enum: ['invalid-request', 'invalid-json'] }],
    ['401', { enum: ['unauthorized'] }],
    ['413', { enum: ['body-too-large'] }],
    ['415', { enum: ['unsupported-media-type'] }],
    ['429', { enum: ['rate-limited'] }],
    ['500', { enum: ['internal'] }],
    ['503', { enum: ['issuer-unavailable', 'database-unavailable', 'bridge-unavailable'] }],
  ]);
});

test('the same operations give the same text', () => {
  expect(JSON.stringify(document(readLamp, changeLamp))).toBe(
    JSON.stringify(document(readLamp, changeLamp)),
  );
});

test('two operations with one id, or one place, are a bug', () => {
  expect(() => document(readLamp, { ...changeLamp, id: 'readLamp' })).toThrow('is there twice');
  expect(() => document(readLamp, { ...readLamp, id: 'other' })).toThrow('is there twice');
});

test('two schemas with one id are a bug', () => {
  const other = z.strictObject({}).meta({ id: 'Lamp' });
  const answers = { 200: { description: 'Other.', content: { 'application/json': other } } };
  expect(() => document(readLamp, { ...changeLamp, answers })).toThrow(
    'two schemas have the id Lamp',
  );
});

test('the linter finds nothing', async () => {
  const problems = await lintFromString({
    source: JSON.stringify(document(readLamp, changeLamp)),
    config: await createConfig({ extends: ['recommended'] }),
  });
  expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
});
