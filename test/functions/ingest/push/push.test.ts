// The endpoint as ingest serves it, with the real store on a database.
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIngest } from '../../../../functions/ingest/ingest.ts';
import { createPushMemory } from '../../../../functions/ingest/push/memory.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { messageOf } from '../../../../functions/table/item.ts';
import {
  olderBody,
  properties,
  pushBody,
  pushToken,
  signatureOf,
  validation,
} from '../../../support/onenet-push.ts';
import { clientWithout, engines, startTable, type TestTable } from '../../../support/table.ts';

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    function appOf({ client = table.client, now = Date.now, push = true } = {}) {
      const store = createStore({
        client,
        tableName: table.tableName,
        retentionDays: 30,
        timeBudgetMs: 200,
      });
      const memory = createPushMemory({ client, tableName: table.tableName, days: 30, now });
      return createIngest({
        store,
        now,
        ...(push && { push: { onenet: { token: pushToken }, memory } }),
      });
    }

    const post = (body: string, app = appOf(), headers: Record<string, string> = {}) =>
      app.request('/push/onenet', { method: 'POST', body, headers });

    async function stored(topic: string) {
      const { Items = [] } = await table.client.send(
        new ScanCommand({ TableName: table.tableName, ConsistentRead: true }),
      );
      return Items.filter(({ pk }) => pk?.S?.startsWith('m/'))
        .map(messageOf)
        .filter((message) => message.topic === topic);
    }

    test('a push is stored before it is answered', async () => {
      const sent = { ...properties(Date.now()), deviceName: 'stored' };
      const response = await post(pushBody(sent));
      expect([response.status, await response.text()]).toEqual([200, 'ok']);
      const [message] = await stored('$sys/C6z4Zk012B/stored/thing/property/post');
      expect(JSON.parse(Buffer.from(message?.payload ?? '').toString())).toEqual(sent.data);
    });

    test('pushed again, also with another nonce and later, it is stored once', async () => {
      const sent = { ...properties(Date.now()), deviceName: 'again' };
      const later = appOf({ now: () => Date.now() + 3_600_000 });
      const bodies = [pushBody(sent), pushBody(sent), pushBody(sent, 'another1')];
      for (const body of bodies) expect((await post(body)).status).toBe(200);
      expect((await post(pushBody(sent), later)).status).toBe(200);
      expect(await stored('$sys/C6z4Zk012B/again/thing/property/post')).toHaveLength(1);
    });

    test('sent again by somebody who has seen it, days later, it is not stored', async () => {
      const body = pushBody({ ...properties(Date.now()), deviceName: 'seen' });
      const days = (count: number) => appOf({ now: () => Date.now() + count * 86_400_000 });
      expect((await post(body)).status).toBe(200);
      const padded = JSON.parse(body);
      const { signature = padded.msg_signature } = padded;
      const rewritten = { ...padded, signature: signature.replace(/=+$/, '') };
      for (const again of [body, JSON.stringify(rewritten)])
        for (const app of [days(1), days(29)])
          expect([(await post(again, app)).status]).toEqual([200]);
      expect(await stored('$sys/C6z4Zk012B/seen/thing/property/post')).toHaveLength(1);
    });

    test('so is one that tells no time, while another of the same device is stored', async () => {
      const body = olderBody('{"type":1,"dev_id":77,"ds_id":"a","value":1}');
      const other = olderBody('{"type":1,"dev_id":77,"ds_id":"a","value":2}');
      const later = appOf({ now: () => Date.now() + 60_000 });
      for (const [sent, app] of [
        [body, appOf()],
        [other, appOf()],
        [body, later],
        [body, later],
      ] as const)
        expect((await post(sent, app)).status).toBe(200);
      expect(await stored('$sys/older/77/push/dataPoint')).toHaveLength(2);
    });

    test('without the database it is not acknowledged, and pushed again it is stored', async () => {
      const sent = { ...properties(Date.now()), deviceName: 'away' };
      const away = appOf({ client: clientWithout(table, 'BatchWriteItemCommand') });
      const refused = await post(pushBody(sent), away);
      expect(refused.status).toBe(503);
      expect(await refused.json()).toMatchObject({ code: 'database-unavailable' });
      expect((await post(pushBody(sent))).status).toBe(200);
      expect(await stored('$sys/C6z4Zk012B/away/thing/property/post')).toHaveLength(1);
    });

    test('nothing is stored of what is not signed, or bad in a part', async () => {
      const sent = { ...properties(Date.now()), deviceName: 'unsigned' };
      const bad = { ...sent, deviceName: 'a/b' };
      expect((await post(pushBody(sent, 'C1z3?giR', 'another'))).status).toBe(401);
      expect((await post(pushBody([sent, bad]))).status).toBe(400);
      expect(await stored('$sys/C6z4Zk012B/unsigned/thing/property/post')).toEqual([]);
    });
  });
}

describe('the endpoint', () => {
  const store = { put: async () => [], canWrite: async () => true };
  const app = createIngest({ store, push: { onenet: { token: pushToken } } });

  test('answers a validation with its message, as text', async () => {
    const message = '<script>alert(1)</script>';
    const response = await app.request(`/push/onenet?${validation(message)}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(message);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('takes a signature whose + has become a space', async () => {
    const nonces = Array.from({ length: 200 }, (_, index) => `nonce-${index}`);
    const nonce = nonces.find((one) => signatureOf('hello', one).includes('+')) ?? '';
    const signature = signatureOf('hello', nonce);
    const response = await app.request(
      `/push/onenet?msg=hello&nonce=${nonce}&signature=${signature}`,
    );
    expect(await response.text()).toBe('hello');
  });

  test.each([
    ['nothing', ''],
    ['no signature', 'msg=a&nonce=b'],
    ['another message', `${validation('a')}&`.replace('msg=a', 'msg=b')],
    ['another token', validation('a', 'C1z3?giR', 'another')],
    ['no message', validation('')],
    ['a long message', validation('x'.repeat(257))],
    ['a long nonce', validation('a', 'x'.repeat(257))],
  ])('does not answer a validation with %s', async (_, query) => {
    const response = await app.request(`/push/onenet?${query}`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'unauthorized' });
  });

  test('bounds bodies, whatever their length says, and decompresses none', async () => {
    const large = pushBody('x'.repeat(1024 * 1024));
    const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
      app.request('/push/onenet', { method: 'POST', body, headers });
    expect((await post(large, {})).status).toBe(413);
    expect((await post(large, { 'content-length': '5' })).status).toBe(413);
    expect((await post(pushBody('{}'), { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post(Uint8Array.of(0x7b, 0xff, 0x7d), {})).status).toBe(400);
  });

  test('has no other methods and paths, and is there only where it is asked for', async () => {
    const without = createIngest({ store });
    for (const [served, method, path] of [
      [app, 'PUT', '/push/onenet'],
      [app, 'POST', '/push'],
      [app, 'POST', '/push/onenet/x'],
      [without, 'GET', `/push/onenet?${validation('a')}`],
      [without, 'POST', '/push/onenet'],
    ] as const)
      expect((await served.request(path, { method })).status).toBe(404);
  });
});
