// Numbers of payloads as series: what a step comes to, and over HTTP from a real table, page by page.
import { afterAll, expect, test } from 'vitest';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { SeriesReduction } from '../../../../functions/api/messages/series.ts';
import { seriesEndpoint } from '../../../../functions/api/messages/series-endpoint.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { createStoredMessages } from '../../../../functions/reading/stored-messages.ts';
import { call } from '../../../support/endpoints.ts';
import { message } from '../../../support/messages.ts';
import { principal } from '../../../support/principals.ts';
import { fc } from '../../../support/property.ts';
import { packsAll } from '../../../support/stored.ts';
import { startTable } from '../../../support/table.ts';

const table = await startTable();
afterAll(() => table.close());

const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
const at = (offsetMs: number) => new Date(startMs + offsetMs).toISOString().replace('Z', '000Z');
const step = (offsetMs: number) => new Date(startMs + offsetMs).toISOString();
const store = createStore({ ...table, retentionDays: 30, ...packsAll });
const endpoints = [
  seriesEndpoint(createStoredMessages(table), createCursors('a secret of the tests')),
];
const get = (query: Record<string, string>, who = principal('reader', { read: 'room' })) =>
  call(endpoints, who, `/v1/messages/series?${new URLSearchParams(query)}`);

test('each step has the least, the mean, the greatest and the count of its numbers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
      (numbers) => {
        const reduction = new SeriesReduction(60, undefined);
        for (const number of numbers) reduction.add(1, Buffer.from(JSON.stringify(number)));
        const [point] = reduction.series[0]?.points ?? [];
        const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
        expect([(point?.min ?? 0) + 0, (point?.max ?? 0) + 0]).toEqual([min + 0, max + 0]);
        expect(point?.count).toBe(numbers.length);
        expect(Number.isFinite(point?.mean)).toBe(true);
      },
    ),
  );
});

test('fields of JSON, by step; what is no number is passed over', async () => {
  const texts = [
    '{"c":1,"b":{"v":3}}',
    '{"c":3,"b":{"v":"x"}}',
    'no JSON',
    '{"c":1e400}',
    '{"c":8}',
    '7',
  ];
  const messages = texts.map((text, index) =>
    message({ topic: 'room', time: at(index * 20_000), text }),
  );
  expect(await store.put(messages)).toEqual([]);
  const range = { topic: 'room', from: at(0), to: at(120_000) };
  expect((await get({ ...range, fields: 'c,b.v,length' })).body).toEqual({
    topic: 'room',
    stepSeconds: 60,
    series: [
      {
        field: 'c',
        points: [
          { at: step(0), min: 1, mean: 2, max: 3, count: 2 },
          { at: step(60_000), min: 8, mean: 8, max: 8, count: 1 },
        ],
      },
      { field: 'b.v', points: [{ at: step(0), min: 3, mean: 3, max: 3, count: 1 }] },
      { field: 'length', points: [] },
    ],
  });
  expect((await get({ ...range, step: '10' })).body.series).toEqual([
    { points: [{ at: step(100_000), min: 7, mean: 7, max: 7, count: 1 }] },
  ]);
});

test('more than one answer reads is read behind its cursor, each message once', async () => {
  const text = JSON.stringify({ c: 1, padding: 'x'.repeat(90_000) });
  const messages = Array.from({ length: 40 }, (_, index) =>
    message({ topic: 'room', time: at(1_000_000 + index), text }),
  );
  expect(await store.put(messages)).toEqual([]);
  const range = { topic: 'room', from: at(1_000_000), to: at(1_100_000), fields: 'c' };
  let counted = 0;
  let answers = 0;
  let cursor: string | undefined;
  do {
    const { body } = await get({ ...range, ...(cursor !== undefined && { cursor }) });
    for (const { count } of body.series[0].points) counted += count;
    cursor = body.nextCursor;
    answers++;
  } while (cursor !== undefined && answers < 100);
  expect(counted).toBe(40);
  expect(answers).toBeGreaterThan(1);
});

test.each(['items', 'packed'] as const)(
  'what is stored late is in the step of its receipt, once, as %s',
  async (storage) => {
    const topic = `room/${storage}`;
    const reader = principal('reader', { read: '#' });
    const put = async (...messages: Message[]) =>
      expect(await store.put(messages, { storage })).toEqual([]);
    /** One every ten seconds, `c` the number of the minute. */
    const minute = (number: number, count = 6) =>
      Array.from({ length: count }, (_, index) =>
        message({ topic, time: at(number * 60_000 + index * 10_000), text: `{"c":${number}}` }),
      );
    const range = { topic, from: at(0), to: at(180_000), fields: 'c' };
    const counts = async () => {
      const { series } = (await get(range, reader)).body;
      return series[0].points.map((point: { at: string; mean: number; count: number }) => [
        point.at,
        Number(point.mean.toFixed(6)),
        point.count,
      ]);
    };
    const [first, second] = [minute(0), minute(1)];
    // The later minute is there before the first one, which a handler did not take.
    await put(...second);
    expect(await counts()).toEqual([[step(60_000), 1, 6]]);
    await put(...first);
    expect(await counts()).toEqual([
      [step(0), 0, 6],
      [step(60_000), 1, 6],
    ]);
    // Their requests are sent again, in another composition, with what came late into a minute that had been read.
    const late = message({ topic, time: at(59_999), text: '{"c":7}' });
    await put(...first, ...second, late);
    expect(await counts()).toEqual([
      [step(0), 1, 7],
      [step(60_000), 1, 6],
    ]);
  },
);

test('it needs the right to read, and is bounded', async () => {
  expect((await get({ topic: 'other' })).status).toBe(403);
  const faults = async (query: Record<string, string>) =>
    (await get({ topic: 'room', ...query })).body.errors.map(
      ({ field }: { field: string }) => field,
    );
  expect(await faults({ step: '0' })).toEqual(['step']);
  expect(await faults({ fields: 'a,,b' })).toEqual(['fields']);
  expect(await faults({ fields: 'a,a' })).toEqual(['fields']);
  expect(await faults({ from: at(0), to: at(0) })).toEqual(['from']);
  expect(await faults({ from: at(0), to: at(1_001_000), step: '1' })).toEqual(['step']);
});
