// Spans on their way to a collector: by OTLP over HTTP; and what a collector costs that is away, slow or full.

import { createServer } from 'node:http';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openTracing, type TracingOptions } from '../../../bridge/tracing/tracing.ts';
import { attributeOf, startCollector } from '../../support/collector.ts';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { freePort } from '../../support/ports.ts';
import { until } from '../../support/wait.ts';

const log = pino({ level: 'silent' });

function opened(options: Pick<TracingOptions, 'endpoint'> & Partial<TracingOptions>) {
  return openTracing({ serviceName: 'causeway', ratio: 1, log, ...options });
}

test('they come as OTLP in JSON, with the headers, the name of the service, and those that wait at the end', async () => {
  const { url, consumer, spans } = await startCollector();
  const tracing = opened({ endpoint: url, headers: { authorization: 'Bearer x' } });
  tracing.tracer.startSpan('one', { attributes: { a: 'b' } }).end();
  await tracing.close();
  expect(consumer.consumed).toMatchObject([
    { method: 'POST', target: '/v1/traces', headers: { authorization: 'Bearer x' } },
  ]);
  expect(String(consumer.consumed[0]?.body)).toContain('"service.name"');
  expect(spans()).toMatchObject([{ name: 'one' }]);
  expect(attributeOf(spans()[0] as never, 'a')).toBe('b');
  expect(tracing.lostSpans()).toBe(0);
});

test('a share of the traces that begin here', async () => {
  const { url, spans } = await startCollector();
  const tracing = opened({ endpoint: url, ratio: 0 });
  tracing.tracer.startSpan('one').end();
  await tracing.close();
  expect(spans()).toEqual([]);
});

test('where nobody takes them, they are counted as lost', async () => {
  const tracing = opened({ endpoint: `http://127.0.0.1:${await freePort()}` });
  for (let index = 0; index < 10; index++) tracing.tracer.startSpan('one').end();
  await tracing.close();
  await until(() => tracing.lostSpans() === 10);
});

test('a collector that answers nothing holds up no more than the queue', async () => {
  const port = await listenDuringTest(createServer(() => {}));
  const tracing = opened({ endpoint: `http://127.0.0.1:${port}`, maxQueued: 100 });
  for (let index = 0; index < 1000; index++) tracing.tracer.startSpan('one').end();
  expect(tracing.lostSpans()).toBe(900);
  await tracing.close();
});
