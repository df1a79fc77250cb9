import { expect, test } from 'vitest';
import { bridgeEnvironmentSchema } from '../../bridge/environment.ts';
import { parseWith } from '../../functions/contract/parse.ts';

test('needs the config; the rest has defaults', () => {
  const environment = { CAUSEWAY_CONFIG: ' {} ', HOME: '/' };
  expect(parseWith(bridgeEnvironmentSchema, environment)).toEqual({
    ok: true,
    value: {
      CAUSEWAY_CONFIG: '{}',
      LOG_LEVEL: 'info',
      OTEL_SERVICE_NAME: 'causeway',
      OTEL_TRACES_SAMPLER_ARG: 1,
    },
  });
});

test('lists every problem, and repeats no value', () => {
  const environment = {
    CAUSEWAY_CONFIG: ' ',
    ECS_CONTAINER_METADATA_URI_V4: 'hunter2',
    LOG_LEVEL: 'loud',
  };
  const parsed = parseWith(bridgeEnvironmentSchema, environment);
  expect(parsed.ok ? [] : parsed.faults).toMatchObject([
    { field: 'CAUSEWAY_CONFIG', rule: 'must be a JSON document or the path of one' },
    { field: 'ECS_CONTAINER_METADATA_URI_V4', rule: 'must be a URL' },
    { field: 'LOG_LEVEL' },
  ]);
  expect(JSON.stringify(parsed)).not.toContain('hunter2');
});
