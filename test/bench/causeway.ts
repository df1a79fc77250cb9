// Causeway's bridge as a subject: built afresh as for the container, run as users run it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BridgeConfigInput } from '../../bridge/config/config.ts';
import { bundle } from '../../infra/bundle/bundle.ts';
import { programs } from '../../infra/bundle/programs.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { topicFilter } from './payload.ts';
import { endProcess, tied } from './programs.ts';
import type { Subject } from './subject.ts';

/** Bundles the bridge as `npm run build` does; answers with the file to run. */
export async function buildBridge(folder: string): Promise<string> {
  await bundle(programs.bridge, { folder });
  return join(folder, `${programs.bridge.name}.mjs`);
}

export function causeway(file: string, window: number, drainMessages: number): Subject {
  return {
    name: `Causeway, window ${window.toLocaleString('en')}`,
    clientId: 'causeway-store-0',
    acknowledges: 'when stored',
    drainMessages,
    handlerLatenciesMs: [0, 20],
    start({ brokerUrl, handlerUrl }) {
      const config: BridgeConfigInput = {
        broker: { url: brokerUrl },
        http: { port: 0 },
        routes: [
          {
            name: 'store',
            filter: topicFilter,
            url: handlerUrl,
            allowPrivate: true,
            maxBatch: 500,
            lingerMs: 5,
            concurrency: 4,
            window,
          },
        ],
      };
      const child = tied(
        spawn(process.execPath, [file], {
          // What it keeps of its sessions is of no other run.
          cwd: temporaryFolder('bench-bridge'),
          env: { ...process.env, CAUSEWAY_CONFIG: JSON.stringify(config), LOG_LEVEL: 'warn' },
          stdio: ['ignore', 'inherit', 'inherit'],
        }),
      );
      return { process: child, stop: () => endProcess(child) };
    },
  };
}
