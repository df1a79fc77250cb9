// A mosquitto that can be stopped, and started again on the same port with or without what it had saved.
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { startMosquitto } from '../../support/brokers.ts';

export interface RestartableBroker {
  readonly port: number;
  /** Process id of the one that runs now. */
  readonly pid: number;
  /** SIGTERM: with persistence it saves. */
  stop(): Promise<void>;
  startAgain(options: { keep: boolean }): Promise<void>;
  kill(): Promise<void>;
}

export async function startRestartableBroker(
  folder: string,
  settings: readonly string[],
): Promise<RestartableBroker> {
  makeFolder(folder);
  let broker = await startMosquitto({ folder, settings });
  const { port } = broker;
  return {
    port,
    get pid() {
      const { pid } = broker.process;
      if (pid === undefined) throw new Error('mosquitto did not start');
      return pid;
    },
    stop: () => broker.stop(),
    async startAgain({ keep }) {
      if (!keep) makeFolder(folder);
      broker = await startMosquitto({ folder, settings, port });
    },
    kill: () => broker.stop('SIGKILL'),
  };
}

function makeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // As root, mosquitto drops to a user of its own, who has to be able to write here.
  chmodSync(folder, 0o777);
}
