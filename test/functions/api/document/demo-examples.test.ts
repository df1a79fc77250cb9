// The answers that the docs page shows keep to the schemas that they are examples of.
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect, test } from 'vitest';
import { oneBridge } from '../../../../functions/api/bridge-client/bridges.ts';
import { demoExamples } from '../../../../functions/api/document/demo-examples.ts';
import { openApiDocument } from '../../../../functions/api/document/openapi.ts';
import { createEndpoints } from '../../../../functions/api/endpoints.ts';

const operations = createEndpoints({
  client: {} as never,
  tableName: 'messages',
  writeShards: 1,
  bridge: { bridges: oneBridge({ url: 'http://127.0.0.1:9', token: 'x' }) },
  live: {} as never,
  cursorSecret: 'a secret of at least sixteen bytes',
  onError: () => {},
}).map(({ operation }) => operation);
const document = openApiDocument(operations, { version: '1.0.0' });
const ajv = new Ajv2020({ allErrors: true, strict: false });
formats.default(ajv);
ajv.addSchema(document, 'openapi');

test.each(Object.entries(demoExamples))('%s', (id, example) => {
  const validate = ajv.compile({ $ref: `openapi#/components/schemas/${id}` });
  validate(example);
  expect(validate.errors ?? []).toEqual([]);
});
