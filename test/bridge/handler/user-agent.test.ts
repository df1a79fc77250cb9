import { expect, test } from 'vitest';
import { requestFormats } from '../../../bridge/config/handler.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { openSink, send } from './routes.ts';

test.each(requestFormats)(
  '%s: the bridge says who it is, unless the route says something else',
  async (format) => {
    const consumer = await startConsumer();
    await send(await openSink({ url: consumer.url, format }), message());
    const headers = { 'User-Agent': 'mine/2' };
    await send(await openSink({ url: consumer.url, format, headers }), message());
    expect(consumer.consumed.map((request) => request.headers['user-agent'])).toEqual([
      `Causeway/${packageJson.version}`,
      'mine/2',
    ]);
  },
);
