import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { leasePartition } from '../../../functions/table/bridge-item.ts';
import { startTestBridge } from '../../support/bridges.ts';
import { startEmbedded } from '../../support/brokers.ts';
import { startHandler } from '../../support/handler.ts';
import { startTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

test('leases keep their names where the broker gave out the client ids', async () => {
  const [broker, handler, table] = await Promise.all([
    startEmbedded(),
    startHandler(),
    startTable(),
  ]);
  onTestFinished(async () => {
    await Promise.all([broker.stop(), handler.close(), table.close()]);
  });
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: handler.url,
    table,
    broker: { clientIds: { 'store-0': 'gateway-1', commands: 'gateway-2' } },
  });
  const leases = async () => {
    const { Items = [] } = await table.client.send(new ScanCommand({ TableName: table.tableName }));
    return Items.filter(({ pk, holder }) => pk?.S === leasePartition && holder !== undefined).map(
      ({ sk }) => sk?.S,
    );
  };
  await until(async () => (await leases()).length >= 2);
  expect((await leases()).sort()).toEqual(['causeway-commands', 'causeway-store-0']);
  await bridge.drain();
});
