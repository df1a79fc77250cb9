// A bridge on a broker of bytes.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { startBridge } from '../../../bridge/bridge.ts';
import { parseConfig } from '../../../bridge/config/config.ts';
import { startHandler } from '../../support/handler.ts';
import { type RawBrokerOptions, startRawBroker } from '../connection/raw-broker.ts';

/** `queue`: packets with the ids 1, 2 … that wait at the broker. */
export async function setUp(
  { connectTimeoutMs = 300, ...options }: RawBrokerOptions & { connectTimeoutMs?: number } = {},
  queue: readonly Buffer[] = [],
) {
  const broker = await startRawBroker(options);
  for (const [index, bytes] of queue.entries()) broker.unacknowledged.set(index + 1, bytes);
  const handler = await startHandler();
  const folder = await mkdtemp(join(tmpdir(), 'causeway-'));
  const config = parseConfig({
    broker: {
      url: broker.url,
      protocolVersion: options.protocolVersion ?? 5,
      connectTimeoutMs,
    },
    http: { port: 0 },
    routes: [{ name: 'store', filter: '#', url: handler.url, allowPrivate: true }],
    quarantineFolder: folder,
    drainTimeoutMs: 2000,
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const reasons: string[] = [];
  const log = pino(
    {},
    {
      write: (line: string) => {
        const { msg, reason } = JSON.parse(line);
        if (msg === 'not connected to the broker') reasons.push(reason);
      },
    },
  );
  const bridge = await startBridge(config.value, log);
  onTestFinished(async () => {
    await bridge.drain();
    await handler.close();
  });
  const stored = () => handler.stored.map(({ data }) => data);
  return { broker, bridge, handler, folder, reasons, stored };
}
