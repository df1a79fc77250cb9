// Exports of many topics over HTTP, from a real table: each message once, whole, in order, and only what the caller may read.
import { afterAll, expect, test } from 'vitest';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { messageEndpoints } from '../../../../functions/api/messages/endpoints.ts';
import { createReader } from '../../../../functions/api/messages/reader.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { ReadBudget } from '../../../../functions/table/read-budget.ts';
import { call } from '../../../support/endpoints.ts';
import { message } from '../../../support/messages.ts';
import { principal } from '../../../support/principals.ts';
import { packsAll } from '../../../support/stored.ts';
import { startTable } from '../../../support/table.ts';

const table = await startTable();
afterAll(() => table.close());

const startMs = Date.now() - 1_000_000;
const at = (offsetMs: number) => new Date(startMs + offsetMs).toISOString().replace('Z', '000Z');
const store = createStore({ ...table, retentionDays: 30, ...packsAll });
const reader = createReader(table);
const endpoints = messageEndpoints(reader, createCursors('a secret of the tests'));
const everything = principal('everything', { read: '#' });

const exported = (path: string, who = everything, accept = 'application/x-ndjson') =>
  call(endpoints, who, path, { headers: { accept } });

/** All answers of an export, one after the other. */
async function wholeOf(path: string, who = everything, accept?: string): Promise<string[]> {
  const texts: string[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, text, headers } = await exported(next, who, accept);
    expect(status).toBe(200);
    texts.push(text);
    expect(texts.length).toBeLessThan(100);
    next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
  }
  return texts;
}

const idsOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).id);

async function stored(
  parts: readonly Parameters<typeof message>[0][],
  storage?: 'items' | 'packed',
): Promise<string[]> {
  const messages = parts.map((part) => message(part));
  expect(await store.put(messages, { storage })).toEqual([]);
  return messages.map(({ id }) => id);
}

test('topic by topic, oldest first, in a range of time; what the token may not read is left out', async () => {
  await stored([
    { topic: 'order/b', id: 'b0', time: at(0) },
    { topic: 'order/a', id: 'a1', time: at(1000) },
    { topic: 'order/a', id: 'a0', time: at(0) },
    { topic: 'order/a/deep', id: 'd0', time: at(0) },
  ]);
  const from = `&from=${at(0)}&to=${at(1000)}`;
  const path = '/v1/messages?filter=order/%23';
  expect((await wholeOf(path)).flatMap(idsOf)).toEqual(['a0', 'a1', 'd0', 'b0']);
  expect((await wholeOf(path + from)).flatMap(idsOf)).toEqual(['a0', 'd0', 'b0']);
  expect((await wholeOf('/v1/messages?filter=order/%2B')).flatMap(idsOf)).toEqual([
    ...['a0', 'a1', 'b0'],
  ]);
  const ofB = principal('b', { read: 'order/b' });
  expect((await wholeOf(path, ofB)).flatMap(idsOf)).toEqual(['b0']);
  expect(await wholeOf(path, principal('nobody', {}))).toEqual(['']);
});

test('a message a line, whatever its payload is; CSV names its columns once and quotes', async () => {
  await stored([
    {
      topic: 'form/a',
      id: 'lines',
      time: at(0),
      text: '{\n  "celsius": 21.5,\r\n  "at": "x\\ny"\n}',
    },
    { topic: 'form/a', id: 'text', time: at(1), text: 'say "hi",\nplease' },
    { topic: 'form/a', id: 'bytes', time: at(2), payload: Buffer.from([0xff]) },
  ]);
  const [lines = ''] = await wholeOf('/v1/messages?filter=form/a');
  expect(lines.split('\n').map((line) => (line === '' ? '' : JSON.parse(line)))).toMatchObject([
    { id: 'lines', payload: { celsius: 21.5, at: 'x\ny' } },
    { id: 'text', payload: 'say "hi",\nplease' },
    { id: 'bytes', payloadBase64: '/w==' },
    '',
  ]);
  const [csv = ''] = await wholeOf('/v1/messages?filter=form/a', everything, 'text/csv');
  const source = 'mqtt://broker/causeway-store-0';
  expect(csv).toBe(
    [
      'time,topic,payload,payloadBase64,id,producerId,source,receivedAfter,qos,retain,contentType',
      `${at(0)},form/a,"{\n  ""celsius"": 21.5,\r\n  ""at"": ""x\\ny""\n}",,lines,,${source},,1,false,`,
      `${at(1)},form/a,"say ""hi"",\nplease",,text,,${source},,1,false,`,
      `${at(2)},form/a,,/w==,bytes,,${source},,1,false,`,
      '',
    ].join('\r\n'),
  );
});

test('more than an answer holds comes in several, each message once; the rows of CSV have one head', async () => {
  const text = JSON.stringify('x'.repeat(300_000));
  const ids = await stored(
    Array.from({ length: 24 }, (_, index) => ({
      topic: `large/${Math.floor(index / 12)}`,
      time: at(index),
      text,
    })),
  );
  const path = '/v1/messages?filter=large/%23';
  const texts = await wholeOf(path);
  expect(texts.flatMap(idsOf)).toEqual(ids);
  expect(texts.length).toBeGreaterThan(2);
  for (const one of texts) expect(one.length).toBeLessThan(3.2 * 1024 * 1024);
  const rows = (await wholeOf(path, everything, 'text/csv')).join('').trimEnd().split('\r\n');
  expect(rows).toHaveLength(25);

  const { headers } = await exported(path);
  const next = /^<([^>]+)>/.exec(headers.get('link') ?? '')?.[1] ?? '';
  const other = await exported(next, principal('other', { read: '#' }));
  expect([other.status, other.body.errors[0].field]).toEqual([400, 'cursor']);
  expect(new URL(next, 'http://api.test').searchParams.get('filter')).toBe('large/#');
});

test.each(['items', 'packed'] as const)(
  'stored as %s: however little is read at once, it ends, and has each message once',
  async (storage) => {
    const filter = `${storage}/#`;
    const ids = await stored(
      Array.from({ length: 60 }, (_, index) => ({
        topic: `${storage}/${String(Math.floor(index / 4)).padStart(2, '0')}`,
        time: at(index),
        text: 'x'.repeat(5000),
      })),
      storage,
    );
    for (const units of [1, 20]) {
      const seen: string[] = [];
      let after: string | undefined;
      let answers = 0;
      do {
        const page = await reader.exported(
          {
            filters: [filter],
            isVisible: () => true,
            budget: new ReadBudget(units),
            render: ({ id }) => id,
          },
          after,
        );
        seen.push(...page.entries);
        after = page.next;
        answers++;
      } while (after !== undefined && answers < 500);
      expect(seen).toEqual(ids);
      if (units === 1) expect(answers).toBeGreaterThan(1);
    }
  },
);
