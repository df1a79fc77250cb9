// Sessions that the config no longer has: what they hold is delivered, or becomes dead letters, and they end.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { describe, expect, test } from 'vitest';
import { folderLedger } from '../../../bridge/session-ledger/ledger-folder.ts';
import { askRoutes, routeToken, statusOf } from '../../support/route-control.ts';
import { until } from '../../support/wait.ts';
import { brokers, startLedgerRig, withShared } from './rig.ts';

type Rig = Awaited<ReturnType<typeof startLedgerRig>>;

const numbers = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => String(from + index).padStart(4, '0'));

/** Whether the broker has a session of this client id; it has none afterwards. */
async function hadSession({ broker }: Rig, clientId: string): Promise<boolean> {
  const client = mqtt.connect(broker.url, { clientId, clean: false, reconnectPeriod: 0 });
  client.handleMessage = () => {};
  const present = await new Promise<boolean>((resolve) => {
    client.once('connect', ({ sessionPresent }) => resolve(sessionPresent));
  });
  await client.endAsync(true);
  const ending = await mqtt.connectAsync(broker.url, { clientId, clean: true });
  await ending.endAsync();
  return present;
}

/** A probe of a bridge that has just started may be there at the same time. */
const untilNoSession = (rig: Rig, clientId: string) =>
  until(async () => !(await hadSession(rig, clientId)), { what: `no session ${clientId}` });

const ledgerAt = ({ quarantineFolder }: Rig) =>
  folderLedger(join(quarantineFolder, 'session-ledger'), 'causeway');

async function ledgerOf(rig: Rig): Promise<string[]> {
  return (await ledgerAt(rig).list()).map(({ clientId }) => clientId).sort();
}

const entryOf = (rig: Rig, clientId: string) => ledgerAt(rig).read(clientId);

async function addDeadLetter({
  quarantineFolder,
}: Rig): Promise<{ route: string; reason: string }[]> {
  const names = (await readdir(quarantineFolder)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(quarantineFolder, name), 'utf8'))),
  );
}

describe.each(withShared)('$name', (broker) => {
  test('3 connections, then 2: what the third holds is delivered, and it ends', async () => {
    const rig = await startLedgerRig(broker);
    await (await rig.start({ route: { connections: 3, filter: 'a/#' } })).drain();
    await rig.publish('a/b', ...numbers(0, 30));
    await rig.start({ route: { connections: 2, filter: 'a/#' }, endSessionsAfterSeconds: 1 });
    await rig.publish('a/b', ...numbers(30, 30));
    expect(await rig.stored(60)).toEqual(numbers(0, 60));
    await until(async () => (await ledgerOf(rig)).length === 2);
    expect(await ledgerOf(rig)).toEqual(['causeway-store-0', 'causeway-store-1']);
    await untilNoSession(rig, 'causeway-store-2');
    await rig.publish('a/b', ...numbers(60, 30));
    expect(await rig.stored(90)).toEqual(numbers(0, 90));
  });

  test.each([
    [1, 2],
    [2, 1],
  ])('%d connections, then %d: each message once, before, between and after', async (...both) => {
    const rig = await startLedgerRig(broker);
    let published = 0;
    const publish = async () => {
      await rig.publish('a/b', ...numbers(published, 20));
      published += 20;
    };
    for (const connections of [...both, both[0]]) {
      const bridge = await rig.start({
        route: { connections, filter: 'a/#' },
        endSessionsAfterSeconds: 1,
      });
      await publish();
      await rig.stored(published);
      await bridge.drain();
      await publish();
    }
    await rig.start({ route: { connections: both[0], filter: 'a/#' } });
    expect(await rig.stored(published)).toEqual(numbers(0, published));
  });
});

describe.each(brokers)('$name', (broker) => {
  test('a route with another name, and the same filter and handler, delivers what the old one left', async () => {
    const rig = await startLedgerRig(broker);
    await (await rig.start({ route: { name: 'old', filter: 'a/#' } })).drain();
    await rig.publish('a/b', ...numbers(0, 20));
    await rig.start({ route: { name: 'new', filter: 'a/#' }, endSessionsAfterSeconds: 1 });
    // Both are subscribed for an instant.
    await until(async () => (await entryOf(rig, 'causeway-old-0'))?.subscriptions.length === 0);
    await rig.publish('a/b', ...numbers(20, 20));
    expect(await rig.stored(40)).toEqual(numbers(0, 40));
    await until(async () => (await ledgerOf(rig)).join() === 'causeway-new-0');
    await untilNoSession(rig, 'causeway-old-0');
  });

  test('a route that is gone: dead letters with the reason, no more messages, and its session ends', async () => {
    const rig = await startLedgerRig(broker);
    await (await rig.start({ route: { name: 'old', filter: 'old/#' } })).drain();
    await rig.publish('old/b', ...numbers(0, 20));
    const bridge = await rig.start({
      route: { name: 'other', filter: 'other/#' },
      token: routeToken,
      endSessionsAfterSeconds: 2,
    });
    await until(async () => (await addDeadLetter(rig)).length === 20);
    await until(async () => (await entryOf(rig, 'causeway-old-0'))?.subscriptions.length === 0);
    await rig.publish('old/b', 'after');
    await until(async () => (await ledgerOf(rig)).join() === 'causeway-other-0');
    const letters = await addDeadLetter(rig);
    expect(letters).toHaveLength(20);
    expect(new Set(letters.map(({ route, reason }) => `${route}: ${reason}`))).toEqual(
      new Set(['old: route removed']),
    );
    expect(rig.handler.stored).toEqual([]);
    await until(async () => {
      const { body } = (await askRoutes(bridge.url)) as { body: { routes: { name: string }[] } };
      return body.routes.map(({ name }) => name).join() === 'other';
    });
    await untilNoSession(rig, 'causeway-old-0');
  });
});

test('a session of a removed route that holds too much is kept, until somebody ends it', async () => {
  const [broker] = brokers;
  if (broker === undefined) throw new Error('no broker');
  const rig = await startLedgerRig(broker);
  await (await rig.start({ route: { name: 'old', filter: 'old/#' } })).drain();
  // Said to have made as many dead letters as are made by themselves.
  const entry = await entryOf(rig, 'causeway-old-0');
  if (entry === undefined) throw new Error('the ledger has the session');
  await ledgerAt(rig).put({ ...entry, drained: { messages: 9_990, bytes: 1 } });
  await rig.publish('old/b', ...numbers(0, 20));

  const other = { route: { name: 'other', filter: 'x' }, token: routeToken };
  const first = await rig.start({ ...other, endSessionsAfterSeconds: 1 });
  await until(async () => (await addDeadLetter(rig)).length === 10);
  const removed = async (url: string) => {
    const { body } = (await askRoutes(url)) as { body: { routes: { name: string }[] } };
    return body.routes.find(({ name }) => name === 'old');
  };
  await until(async () => {
    const shown = (await removed(first.url)) as { quarantinedMessages?: number } | undefined;
    return shown?.quarantinedMessages === 10_000;
  });
  expect(await removed(first.url)).toMatchObject({ state: 'removed', filter: 'old/#' });
  await first.drain();

  const second = await rig.start({ ...other, endSessionsAfterSeconds: 1 });
  await until(() => removed(second.url));
  expect(await addDeadLetter(rig)).toHaveLength(10);
  // Only what the config does not have.
  expect(await askRoutes(second.url, '/end', { name: 'other' })).toMatchObject({ status: 404 });
  expect(await askRoutes(second.url, '/end', { name: 'old' })).toMatchObject({ status: 200 });
  expect(await removed(second.url)).toBeUndefined();
  await untilNoSession(rig, 'causeway-old-0');
  expect(await addDeadLetter(rig)).toHaveLength(10);
});

test('sessions of a bridge without a ledger are found by Session Present, and drained', async () => {
  const broker = withShared.at(-1);
  if (broker === undefined) return;
  const rig = await startLedgerRig(broker);
  const filter = '$share/causeway-store/a/#';
  for (const clientId of ['causeway-store-0', 'causeway-store-1', 'causeway-store-2']) {
    const client = await mqtt.connectAsync(rig.broker.url, {
      clientId,
      protocolVersion: 5,
      clean: false,
      properties: { sessionExpiryInterval: 3600 },
    });
    await client.subscribeAsync(filter, { qos: 1 });
    await client.endAsync();
  }
  await rig.publish('a/b', ...numbers(0, 30));
  const bridge = await rig.start({
    route: { filter: 'a/#', connections: 2 },
    token: routeToken,
    endSessionsAfterSeconds: 1,
  });
  expect(await rig.stored(30)).toEqual(numbers(0, 30));
  await until(async () => (await ledgerOf(rig)).length === 2);
  await until(async () => (await statusOf(bridge.url)).warnings === undefined);
  for (const id of ['causeway-store-2', 'causeway-store-3']) await untilNoSession(rig, id);
});
