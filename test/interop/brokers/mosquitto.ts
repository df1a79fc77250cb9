// mosquitto, from Debian: one process with a plain and a TLS listener.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import type { InteropBroker, Setting } from './broker.ts';
import { installed, startProcess } from './process.ts';

const found = installed(['mosquitto', '/usr/sbin/mosquitto'], '-h');

const settings: readonly Setting[] = [
  {
    name: 'max_queued_messages',
    value: '0',
    why: 'the backlog of a bridge that is away; by default 1000, and what comes after them is acknowledged and dropped',
  },
  {
    name: 'max_inflight_messages',
    value: '0',
    why: 'the window of MQTT 3.1.1, by default 20; MQTT 5 has its own',
  },
  { name: 'persistence', value: 'true', why: 'sessions and backlogs outlive the process' },
  {
    name: 'autosave_interval',
    value: '60',
    why: 'seconds of messages that SIGKILL or a power cut may cost; by default 1800',
  },
];

export const mosquitto: InteropBroker = {
  name: 'mosquitto',
  version: /mosquitto version (\S+)/.exec(found?.output ?? '')?.[1],
  package: 'mosquitto',
  profile: 'mosquitto',
  protocolVersion: 5,
  settings,
  async start({ certFile, keyFile }) {
    const folder = temporaryFolder('mosquitto');
    const [port, tlsPort] = [await freePort(), await freePort()];
    const file = join(folder, 'mosquitto.conf');
    const lines = [
      ...settings.map(({ name, value }) => `${name} ${value}`),
      `persistence_location ${folder}/`,
      'allow_anonymous true',
      `listener ${port} 127.0.0.1`,
      `listener ${tlsPort} 127.0.0.1`,
      `certfile ${certFile}`,
      `keyfile ${keyFile}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const logFile = join(folder, 'log');
    writeFileSync(logFile, '');
    chmodSync(logFile, 0o666);
    const start = () =>
      startProcess({
        command: found?.command ?? 'mosquitto',
        args: ['-c', file],
        logFile,
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
