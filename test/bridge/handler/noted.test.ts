// What our own ingest says of its notes goes with the next requests of the route, and to nobody else.
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createSink } from '../../../bridge/handler/sink.ts';
import { notedHeader } from '../../../functions/contract/noted.ts';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { message } from '../../support/messages.ts';
import { routeOf, send } from './routes.ts';

test.each([
  { ingest: true, carried: [undefined, '1000', '3000', '3000', '3000'] },
  { ingest: false, carried: [undefined, undefined, undefined, undefined, undefined] },
])('to our own ingest: $ingest', async ({ ingest, carried }) => {
  const told = ['1000', '3000', '2000', undefined, 'x'];
  const sent: unknown[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const noted = told[sent.length];
    sent.push(request.headers[notedHeader]);
    if (noted !== undefined) response.setHeader(notedHeader, noted);
    response.end('{"batchItemFailures":[]}');
  });
  const port = await listenDuringTest(server);
  const route = routeOf({ url: `http://127.0.0.1:${port}/`, allowPrivate: true });
  const sink = createSink({ ...route, ingest });
  onTestFinished(() => sink.close());
  for (const _ of told)
    expect(await send(sink, message())).toMatchObject({ verdict: { kind: 'answered' } });
  expect(sent).toEqual(carried);
});
