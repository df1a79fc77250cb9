// A connection that is kept, for tests: what it has reached, why it did not, and what it logged.
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { brokerSchema } from '../../../bridge/config/broker.ts';
import type { BridgeConfigInput } from '../../../bridge/config/config.ts';
import type { Broker } from '../../../bridge/connection/access.ts';
import { keepConnected } from '../../../bridge/connection/keep-connected.ts';
import type { Link } from '../../../bridge/connection/link.ts';

export interface KeptSession {
  readonly links: readonly Link[];
  readonly reasons: readonly string[];
  readonly lines: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

export function keepSession(
  fields: BridgeConfigInput['broker'],
  more: Pick<Broker, 'certificates'> = {},
  clientId = 'causeway-store-0',
): KeptSession {
  const broker = brokerSchema.parse({ connectTimeoutMs: 5000, ...fields });
  const links: Link[] = [];
  const reasons: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const ending = new AbortController();
  const ended = keepConnected({
    broker: { ...broker, ...more },
    clientId,
    clean: broker.cleanSession,
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    onConnected: (link) => links.push(link),
    onDisconnected: (reason) => reasons.push(reason),
    signal: ending.signal,
  });
  const stop = async () => {
    ending.abort();
    await ended;
  };
  onTestFinished(stop);
  return { links, reasons, lines, stop };
}
