// The bridge with two routes that take the same messages.
import { spawn } from 'node:child_process';
import type { BridgeConfigInput } from '../../bridge/config/config.ts';
import { topicFilter } from '../bench/payload.ts';
import { endProcess, tied } from '../bench/programs.ts';
import { temporaryFolder } from '../support/brokers.ts';

export { buildBridge } from '../bench/causeway.ts';

export interface RouteUrls {
  readonly fast: string;
  readonly other?: string;
}

export function startRoutes(file: string, brokerUrl: string, urls: RouteUrls) {
  const config: BridgeConfigInput = {
    broker: { url: brokerUrl },
    http: { port: 0 },
    routes: Object.entries(urls).map(([name, url]) => ({
      name,
      filter: topicFilter,
      url,
      allowPrivate: true,
    })),
  };
  const child = tied(
    spawn(process.execPath, [file], {
      // What it keeps of its sessions is of no other run.
      cwd: temporaryFolder('bench-bridge'),
      env: { ...process.env, CAUSEWAY_CONFIG: JSON.stringify(config), LOG_LEVEL: 'error' },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
  return { process: child, stop: () => endProcess(child) };
}
