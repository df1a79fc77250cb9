// The embedded broker, alone in a process of its own as `npm run broker` has it, with its defaults.
import { join } from 'node:path';
import { temporaryFolder } from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import type { InteropBroker } from './broker.ts';
import { startProcess } from './process.ts';

export const embedded: InteropBroker = {
  name: 'embedded',
  version: 'of this repository',
  protocolVersion: 5,
  settings: [],
  async start({ certFile, keyFile }) {
    const folder = temporaryFolder('embedded');
    const [port, tlsPort] = [await freePort(), await freePort()];
    const start = () =>
      startProcess({
        command: process.execPath,
        args: ['--import', 'tsx', 'infra/cli/broker.ts'],
        environment: {
          BROKER_PORT: String(port),
          BROKER_FOLDER: join(folder, 'data'),
          BROKER_TLS_PORT: String(tlsPort),
          BROKER_TLS_CERT_FILE: certFile,
          BROKER_TLS_KEY_FILE: keyFile,
        },
        logFile: join(folder, 'log'),
        ports: [port, tlsPort],
      });
    let running = await start();
    return {
      port,
      url: `mqtt://127.0.0.1:${port}`,
      tlsUrl: `mqtts://127.0.0.1:${tlsPort}`,
      end: (signal) => running.end(signal),
      async startAgain() {
        running = await start();
      },
      close: () => running.end('SIGTERM'),
    };
  },
};
