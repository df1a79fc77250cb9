// Where spans go: nothing is loaded without a collector, and what is wrong is named.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { tracingIn, tracingVariables } from '../../../bridge/tracing/environment.ts';

const schema = z.object(tracingVariables);
const log = pino({ level: 'silent' });

test('without a collector there is no tracing', async () => {
  expect(await tracingIn(schema.parse({}), log)).toBeUndefined();
});

test.each([
  ['authorization=Bearer%20x', { authorization: 'Bearer x' }],
  ['a=1, b=2', { a: '1', b: '2' }],
])('headers %s', (text, headers) => {
  const given = { OTEL_EXPORTER_OTLP_HEADERS: text };
  expect(schema.parse(given).OTEL_EXPORTER_OTLP_HEADERS).toEqual(headers);
});

test.each([
  { OTEL_EXPORTER_OTLP_HEADERS: 'no pair' },
  { OTEL_EXPORTER_OTLP_HEADERS: 'a=%' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://x' },
  { OTEL_TRACES_SAMPLER_ARG: '1.5' },
])('%j is refused', (given) => {
  const { error } = schema.safeParse(given);
  expect(error?.issues.map(({ path }) => path[0])).toEqual(Object.keys(given));
});

test('without a collector nothing of the SDK is loaded: the files with it are imported on demand, or as types', () => {
  const files = ['functions', 'bridge', 'infra'].flatMap((area) =>
    readdirSync(area, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(area, path)),
  );
  const outside = files.filter(
    (path) => !path.startsWith('bridge/tracing/') || path === 'bridge/tracing/environment.ts',
  );
  const eager =
    /^import (?!type )[^;]*tracing\/(?!environment)[\w-]+\.ts'|^import (?!type )[^;]*'\.\/tracing\.ts'/m;
  expect(outside.filter((path) => eager.test(readFileSync(path, 'utf8')))).toEqual([]);
  const statement = ['import { openTracing } from', "'./tracing/tracing.ts';"].join(' ');
  expect(eager.test(statement)).toBe(true);
});
