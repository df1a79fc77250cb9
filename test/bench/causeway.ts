// Causeway's bridge as a subject: built afresh as for the container, and run with the container's options and variables.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BridgeConfigInput } from '../../bridge/config/config.ts';
import { bundle } from '../../infra/bundle/bundle.ts';
import { programs, root } from '../../infra/bundle/programs.ts';
import { instructionsOf, variablesOf } from '../infra/template/rig/image.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { topicFilter } from './payload.ts';
import { endProcess, tied } from './programs.ts';
import type { Subject, Target } from './subject.ts';

/** Bundles the bridge as `npm run build` does; answers with the file to run. */
export async function buildBridge(folder: string): Promise<string> {
  await bundle(programs.bridge, { folder });
  return join(folder, `${programs.bridge.name}.mjs`);
}

export function causeway(file: string, window: number, drainMessages: number): Subject {
  return {
    name: `Causeway, window ${window.toLocaleString('en')}`,
    drainMessages,
    handlerLatenciesMs: [0, 20],
    ...bridge(file, { maxBatch: 500, lingerMs: 5, concurrency: 4, window }),
  };
}

/** Every message is sent at once: for the time that one takes where few come. */
export function causewayAtOnce(file: string): Subject {
  return {
    name: 'Causeway, lingerMs 0',
    drainMessages: 0,
    handlerLatenciesMs: [0],
    ...bridge(file, { maxBatch: 500, lingerMs: 0, maxLingerMs: 0, concurrency: 4 }),
  };
}

/** A route whose format carries one message a request. */
export function oneMessageARequest(
  file: string,
  format: 'raw' | 'cloudevents',
  drainMessages: number,
): Subject {
  const concurrency = 64;
  return {
    name: `Causeway, ${format}, one message a request`,
    drainMessages,
    handlerLatenciesMs: [20],
    requestsAtOnce: concurrency,
    ...bridge(file, { format, concurrency }),
  };
}

function bridge(file: string, route: Partial<BridgeConfigInput['routes'][number]>) {
  return {
    clientId: 'causeway-store-0',
    acknowledges: 'when stored',
    start({ brokerUrl, handlerUrl }: Target) {
      const config: BridgeConfigInput = {
        broker: { url: brokerUrl },
        http: { port: 0 },
        routes: [
          { name: 'store', filter: topicFilter, url: handlerUrl, allowPrivate: true, ...route },
        ],
      };
      const { options, variables } = container();
      const child = tied(
        spawn(process.execPath, [...options, file], {
          // What it keeps of its sessions is of no other run.
          cwd: temporaryFolder('bench-bridge'),
          env: {
            ...process.env,
            ...variables,
            CAUSEWAY_CONFIG: JSON.stringify(config),
            LOG_LEVEL: 'warn',
          },
          stdio: ['ignore', 'inherit', 'inherit'],
        }),
      );
      return { process: child, stop: () => endProcess(child) };
    },
  } satisfies Partial<Subject>;
}

/** What the container gives Node: options and variables. */
function container(): { options: readonly string[]; variables: Readonly<Record<string, string>> } {
  const instructions = instructionsOf(join(root, 'bridge/Dockerfile'));
  const wordsOf = (wanted: string) => instructions.find(({ name }) => name === wanted)?.words ?? [];
  return { options: wordsOf('ENTRYPOINT').slice(1, -1), variables: variablesOf(wordsOf('ENV')) };
}
