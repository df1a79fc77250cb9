// Names that lead where requests must not go, each against a real connection.
import type { LookupAddress } from 'node:dns';
import { expect, onTestFinished, test } from 'vitest';
import type { Resolve } from '../../../bridge/base/address-guard.ts';
import { createSink } from '../../../bridge/handler/sink.ts';
import { startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { openSink, routeOf, send } from './routes.ts';

/** A resolver with one answer after the other, the last for ever. */
function resolver(...answers: readonly (readonly string[])[]): {
  resolve: Resolve;
  asked: string[];
} {
  const asked: string[] = [];
  const resolve: Resolve = (hostname, _, callback) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    callback(
      null,
      addresses.map(
        (address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }),
      ),
    );
  };
  return { resolve, asked };
}

const leadsTo = (kind: string) => ({
  status: undefined,
  verdict: {
    kind: 'hold',
    broken: true,
    overloaded: false,
    reason: expect.stringMatching(new RegExp(`^the handler's name leads to a ${kind} address`)),
  },
});

test.each([
  ['a private address', ['10.0.0.7'], 'private'],
  ['loopback over IPv6', ['::1'], 'loopback'],
  ['metadata', ['169.254.169.254'], 'metadata'],
  ['one of several that is private', ['8.8.8.8', '127.0.0.1'], 'loopback'],
  ['a mapped address', ['::ffff:169.254.169.254'], 'metadata'],
  ['an address with a zone', ['fe80::1%lo'], 'link-local'],
])('a name that leads to %s is not connected to', async (_, addresses, kind) => {
  const consumer = await startConsumer();
  const { resolve, asked } = resolver(addresses);
  const sink = await openSink(
    { url: `http://handler.example.com:${consumer.port}/`, allowPrivate: false },
    { resolve },
  );
  expect(await send(sink, message())).toMatchObject(leadsTo(kind));
  expect([asked, consumer.connections]).toEqual([['handler.example.com'], 0]);
});

test('a name that leads nowhere is like a handler that is away', async () => {
  const { resolve } = resolver([]);
  const sink = await openSink({ url: 'https://handler.example.com/' }, { resolve });
  expect(await send(sink, message())).toMatchObject({
    verdict: { kind: 'hold', broken: false, reason: "the handler's name leads to no address" },
  });
});

test('the reason names no address', async () => {
  const { resolve } = resolver(['10.11.12.13']);
  const sink = await openSink(
    { url: 'https://handler.example.com/', allowPrivate: false },
    { resolve },
  );
  expect(JSON.stringify(await send(sink, message()))).not.toContain('10.11.12.13');
});

test('the system’s own resolver is guarded too', async () => {
  const consumer = await startConsumer();
  const url = `http://localhost:${consumer.port}/`;
  const sink = await openSink({ url, allowPrivate: false });
  expect(await send(sink, message())).toMatchObject(leadsTo('loopback'));
  expect(consumer.connections).toBe(0);
});

test('a connection goes to the address that was checked: a name is resolved once for each', async () => {
  const consumer = await startConsumer();
  consumer.answer = (_, response) => void response.writeHead(204, { connection: 'close' }).end();
  const { resolve, asked } = resolver(['127.0.0.1'], ['169.254.169.254']);
  const sink = await openSink(
    { url: `http://handler.example.com:${consumer.port}/`, allowPrivate: true },
    { resolve },
  );
  expect(await send(sink, message())).toMatchObject({ status: 204 });
  expect([asked.length, consumer.connections]).toEqual([1, 1]);
  // The next connection asks again, and is refused.
  expect(await send(sink, message())).toMatchObject(leadsTo('metadata'));
  expect([asked.length, consumer.connections]).toEqual([2, 1]);
});

test('while a connection is kept, nothing is resolved', async () => {
  const consumer = await startConsumer();
  const { resolve, asked } = resolver(['127.0.0.1'], ['169.254.169.254']);
  const sink = await openSink(
    { url: `http://handler.example.com:${consumer.port}/`, allowPrivate: true },
    { resolve },
  );
  for (let count = 0; count < 3; count++)
    expect(await send(sink, message())).toMatchObject({ status: 204 });
  expect([asked.length, consumer.connections]).toEqual([1, 1]);
});

test('a redirect to another address is not followed', async () => {
  const inner = await startConsumer();
  const consumer = await startConsumer();
  for (const status of [301, 302, 303, 307, 308]) {
    consumer.answer = (_, response) =>
      void response
        .writeHead(status, { location: inner.url, refresh: `0; url=${inner.url}` })
        .end();
    const sink = await openSink({ url: consumer.url, format: 'raw' });
    expect(await send(sink, message())).toMatchObject({
      status,
      verdict: { kind: 'hold', broken: true },
    });
  }
  expect(inner.connections).toBe(0);
});

test('an address in the URL is checked by the sink too, whatever let it through', async () => {
  const consumer = await startConsumer();
  const route = { ...routeOf({ url: consumer.url, allowPrivate: true }), allowPrivate: false };
  const sink = createSink(route);
  onTestFinished(() => sink.close());
  expect(await send(sink, message())).toMatchObject({
    verdict: {
      kind: 'hold',
      broken: true,
      reason: expect.stringMatching(/^the handler's address is a loopback/),
    },
  });
  expect(consumer.connections).toBe(0);
});
