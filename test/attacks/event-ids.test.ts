// Two devices behind one session, of which one gives its events the ids of the other's.
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import mqtt from 'mqtt';
import { expect, onTestFinished } from 'vitest';
import { tracePartition } from '../../functions/table/trace-item.ts';
import { startTestBridge } from '../support/bridges.ts';
import { startMosquitto } from '../support/brokers.ts';
import { startHandler } from '../support/handler.ts';
import { routeToken, statusOf } from '../support/route-control.ts';
import { startTable } from '../support/table.ts';
import { until } from '../support/wait.ts';
import { attack } from './attack.ts';

attack("A device's events have the ids of another device's", async () => {
  const [broker, handler, table] = await Promise.all([
    startMosquitto(),
    startHandler(),
    startTable(),
  ]);
  onTestFinished(async () => {
    await Promise.all([broker.stop(), handler.close(), table.close()]);
  });
  // Each is refused, so that each has a trace and a dead letter.
  handler.answer = (_, response) => {
    response.statusCode = 422;
    response.end();
  };
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: handler.url,
    token: routeToken,
    table,
  });
  // Without the lease yet it is ready as a standby.
  await until(async () => (await statusOf(bridge.url)).state === 'active');
  const device = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  onTestFinished(() => device.endAsync(true));
  const event = (topic: string, id: string, source?: string) =>
    device.publishAsync(topic, topic, {
      qos: 1,
      properties: { userProperties: { specversion: '1.0', id, ...(source && { source }) } },
    });
  await event('victim', 'order-1');
  const events = () => handler.requests.flatMap((request) => request.events);
  const stolen = await until(() => events().find(({ subject }) => subject === 'victim')?.id);
  await event('attacker/1', 'order-1');
  await event('attacker/2', stolen);
  await event('attacker/3', 'order-1', String(events()[0]?.['source']));
  await until(() => new Set(events().map(({ subject }) => subject)).size === 4);
  const ids = new Map(events().map(({ subject, id, source }) => [subject, `${source} ${id}`]));
  expect(new Set(ids.values()).size).toBe(4);
  expect(events().find(({ subject }) => subject === 'victim')?.['producerid']).toBe('order-1');
  const trace = await until(async () => {
    const { Item: item } = await table.client.send(
      new GetItemCommand({
        TableName: table.tableName,
        Key: { pk: { S: tracePartition(stolen) }, sk: { S: 'store' } },
      }),
    );
    return item?.['trace']?.S;
  });
  expect(JSON.parse(trace)).toMatchObject({ topic: 'victim' });
  return 'four ids for four events; the victim keeps its trace';
});
