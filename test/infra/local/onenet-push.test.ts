// OneNET's push at the port of `npm start`: its path leads to ingest, no other does.
import { expect, test } from 'vitest';
import { createFront, type Running } from '../../../infra/local/front.ts';
import { localIngest } from '../../../infra/local/functions.ts';
import { parseSettings } from '../../../infra/local/settings.ts';
import { properties, pushBody, pushToken, validation } from '../../support/onenet-push.ts';
import { startTable } from '../../support/table.ts';

async function startFront(push: boolean) {
  const table = await startTable();
  const ingest = localIngest({
    ...table,
    retentionDays: 1,
    writeShards: 1,
    secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    push: { onenet: { token: pushToken } },
    onError: () => {},
  });
  const running: Running = {
    problems: () => [],
    metrics: [],
    api: undefined,
    push: push ? ingest : undefined,
  };
  return { table, front: createFront(running) };
}

test('a push gets to ingest, and nothing else does', async () => {
  const { table, front } = await startFront(true);
  const validated = await front.request(`/push/onenet?${validation('hello')}`);
  expect(await validated.text()).toBe('hello');
  const body = pushBody(properties(Date.now()));
  expect((await front.request('/push/onenet', { method: 'POST', body })).status).toBe(200);
  // The api's, which is not up here.
  for (const path of ['/', '/push', '/push/onenet/', '/push/other'])
    expect((await front.request(path, { method: 'POST', body })).status).toBe(503);
  await table.close();
});

test("without its token the path is the api's", async () => {
  const { table, front } = await startFront(false);
  expect((await front.request(`/push/onenet?${validation('hello')}`)).status).toBe(503);
  await table.close();
});

test('the settings', () => {
  expect(
    parseSettings({ ONENET_PUSH_TOKEN: 'a', ONENET_PUSH_AES_KEY: 'abcdefghijklmnop' }),
  ).toMatchObject({ ok: true, value: { ONENET_PUSH_TOKEN: 'a' } });
  expect(parseSettings({ ONENET_PUSH_AES_KEY: 'short' })).toMatchObject({
    ok: false,
    faults: [{ field: 'ONENET_PUSH_AES_KEY' }],
  });
});
