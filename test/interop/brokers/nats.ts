// nats-server, from Debian, with JetStream: it has one MQTT listener, so TLS has a process of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import type { Certificate } from '../certificate.ts';
import type { InteropBroker, Setting } from './broker.ts';
import { type BrokerProcess, installed, startProcess } from './process.ts';

const found = installed(['nats-server', '/usr/sbin/nats-server'], '--version');

const settings: readonly Setting[] = [
  {
    name: 'mqtt.max_ack_pending',
    value: '4000',
    why: 'the window, by default 1024; a filter that ends with # counts twice, and a session has 65,535',
  },
  {
    name: 'mqtt.ack_wait',
    value: '"20s"',
    why: 'by default 30s: so long has the successor of a bridge that was killed to wait for what that one had; after it, it also sends again what a bridge whose handler is away still has, on the same connection',
  },
];

export const nats: InteropBroker = {
  name: 'NATS',
  version: /v(\d\S+)/.exec(found?.output ?? '')?.[1],
  package: 'nats-server',
  profile: 'nats',
  protocolVersion: 4,
  settings,
  async start(certificate) {
    const plain = await startServer();
    const secure = await startServer(certificate);
    return {
      port: plain.port,
      url: `mqtt://127.0.0.1:${plain.port}`,
      tlsUrl: `mqtts://127.0.0.1:${secure.port}`,
      end: plain.end,
      startAgain: plain.startAgain,
      async close() {
        await plain.end('SIGTERM');
        await secure.end('SIGTERM');
      },
    };
  },
};

interface Server extends BrokerProcess {
  readonly port: number;
  startAgain(): Promise<void>;
}

async function startServer(certificate?: Certificate): Promise<Server> {
  const folder = temporaryFolder('nats');
  const [port, natsPort] = [await freePort(), await freePort()];
  const tls =
    certificate &&
    `tls { cert_file: "${certificate.certFile}", key_file: "${certificate.keyFile}" }`;
  const lines = [
    `listen: "127.0.0.1:${natsPort}"`,
    // MQTT asks for a name, and for JetStream to keep its sessions in.
    'server_name: "interop"',
    `jetstream { store_dir: "${join(folder, 'jetstream')}" }`,
    'mqtt {',
    `  listen: "127.0.0.1:${port}"`,
    ...settings.map(({ name, value }) => `  ${name.replace('mqtt.', '')}: ${value}`),
    ...(tls === undefined ? [] : [`  ${tls}`]),
    '}',
  ];
  const file = join(folder, 'nats.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const start = () =>
    startProcess({
      command: found?.command ?? 'nats-server',
      args: ['-c', file],
      logFile: join(folder, 'log'),
      ports: [port],
    });
  let running = await start();
  return {
    port,
    end: (signal) => running.end(signal),
    async startAgain() {
      running = await start();
    },
  };
}
