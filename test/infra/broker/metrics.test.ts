// The broker's numbers as Prometheus gets them.
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { counterMeanings } from '../../../infra/broker/telemetry/counters.ts';
import { brokerMetrics } from '../../../infra/broker/telemetry/metrics.ts';
import { until } from '../../support/wait.ts';
import { open } from './raw-client.ts';
import { connect, start } from './started.ts';

test('every counter and gauge is there, with its value at the time', async () => {
  const broker = await start({ limits: { maxConnections: 2 } });
  const { scrape } = brokerMetrics(broker.counters, broker.gauges);
  const values = async () => {
    const { text, contentType } = await scrape();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => line.split(' '))) as Record<string, string>;
  };
  const before = await values();
  expect(Object.keys(before)).toHaveLength(Object.keys(counterMeanings).length + 5);
  expect(new Set(Object.values(before))).toEqual(new Set(['0']));

  const sleeper = await connect(broker, { clientId: 'sleeper', clean: false });
  await sleeper.subscribeAsync('a', { qos: 1 });
  await sleeper.endAsync();
  await until(() => broker.clients === 0);
  const client = await connect(broker);
  for (const payload of ['1', '2'])
    await client.publishAsync('a', payload, { qos: 1, retain: true });
  await client.publishAsync('b', '3', { qos: 1, retain: true });
  await connect(broker);
  const tooMany = open(broker);
  await once(tooMany, 'close');
  await expect(client.subscribeAsync('a/'.repeat(40))).rejects.toThrow();
  expect(await values()).toMatchObject({
    causeway_broker_connected_total: '3',
    causeway_broker_connections_over_limit_total: '1',
    causeway_broker_messages_received_total: '3',
    causeway_broker_subscriptions_refused_total: '1',
    causeway_broker_web_sockets_refused_total: '0',
    causeway_broker_connections: '2',
    causeway_broker_sessions: '1',
    causeway_broker_queued_messages: '2',
    causeway_broker_retained_messages: '2',
  });
});
