// The server that the rows run against: the embedded one with its defaults, or what CONFORMANCE_PORT names.
import { join } from 'node:path';
import { startProcess } from '../interop/brokers/process.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { freePort } from '../support/ports.ts';

export interface Server {
  readonly port: number;
  /** Whether it sends a DISCONNECT for each fault on MQTT 5, as a server should; mosquitto does not for some. */
  readonly saysWhy: boolean;
  close(): Promise<void>;
}

export async function startServer(): Promise<Server> {
  const given = process.env['CONFORMANCE_PORT'];
  if (given !== undefined) return { port: Number(given), saysWhy: false, close: async () => {} };
  const folder = temporaryFolder('conformance');
  const port = await freePort();
  const running = await startProcess({
    command: process.execPath,
    args: ['--import', 'tsx', 'infra/cli/broker.ts'],
    environment: { BROKER_PORT: String(port), BROKER_FOLDER: join(folder, 'data') },
    logFile: join(folder, 'log'),
    ports: [port],
  });
  return { port, saysWhy: true, close: () => running.end('SIGTERM') };
}
