// What a bridge with nothing to do asks of DynamoDB: counted, as the printed cost of an idle month rests on it.
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startBridge } from '../../bridge/bridge.ts';
import { parseConfig } from '../../bridge/config/config.ts';
import { awsBridgeDocument } from '../../infra/aws/bridge-document.ts';
import { idleCalls } from '../../infra/aws/cost.ts';
import { parseCausewayConfig } from '../../infra/config/config.ts';
import { startEmbedded } from '../support/brokers.ts';
import { startTable } from '../support/table.ts';
import { until } from '../support/wait.ts';

const leaseSeconds = 4;

test('three routes with nothing to do renew one item, look at one, and count dead letters', async () => {
  const [broker, table] = [await startEmbedded(), await startTable()];
  const given = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: ['a', 'b', 'c'].map((name) => ({ name, filter: `${name}/#`, storage: 'packed' })),
  });
  if (!given.ok) throw new Error(JSON.stringify(given.faults));
  const document = awsBridgeDocument(given.value, {
    tableName: table.tableName,
    ingestUrl: 'http://127.0.0.1:1/',
  });
  const config = parseConfig({
    ...document,
    broker: { url: broker.url },
    routes: document.routes.map((route) => ({ ...route, allowPrivate: true })),
    http: { port: 0 },
    leaseSeconds,
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const calls = new Map<string, number>();
  table.client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { Key, Item } = args.input as Record<'Key' | 'Item', { pk: { S: string } }>;
        const what = `${commandName} ${(Key ?? Item)?.pk.S ?? ''}`.trim();
        calls.set(what, (calls.get(what) ?? 0) + 1);
        return next(args);
      },
    { step: 'initialize' },
  );
  const bridge = await startBridge(config.value, pino({ level: 'silent' }), {
    database: table.client,
    // What is new at the start of a bridge is long known.
    announcedMs: 1000,
  });
  onTestFinished(async () => {
    await bridge.drain();
    await table.close();
  });
  await until(() => bridge.status().ready && (calls.get('PutItemCommand lease') ?? 0) >= 5);
  // Leases are taken, sessions stand, and the start's own looks are over.
  await delay(4000);
  calls.clear();
  const sinceMs = performance.now();
  await delay(12_000);
  const counted = new Map(calls);
  const seconds = (performance.now() - sinceMs) / 1000;

  const { renewals, looks, counts, indexLooks } = idleCalls(leaseSeconds);
  const most = {
    'PutItemCommand lease': renewals,
    'GetItemCommand change-marker': looks,
    'GetItemCommand index': indexLooks,
    QueryCommand: counts + indexLooks,
  };
  expect(Object.keys(most)).toEqual(expect.arrayContaining([...counted.keys()]));
  // A busy machine makes fewer; none may be more.
  for (const [what, perSecond] of Object.entries(most))
    expect(counted.get(what) ?? 0, what).toBeLessThanOrEqual(Math.ceil(perSecond * seconds) + 1);
  expect(counted.get('PutItemCommand lease')).toBeGreaterThan(0);
  expect(counted.get('GetItemCommand change-marker')).toBeGreaterThan(0);
});
