// RabbitMQ, from Debian, with its MQTT plugin: a node of its own beside any other, everything on loopback.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import type { Certificate } from '../certificate.ts';
import type { InteropBroker, Setting } from './broker.ts';
import { startProcess } from './process.ts';

// Not /usr/sbin/rabbitmq-server: that one changes to the user rabbitmq, and writes to the service's log.
const home = '/usr/lib/rabbitmq';
const command = join(home, 'bin/rabbitmq-server');

const settings: readonly Setting[] = [
  { name: 'mqtt.prefetch', value: '4000', why: 'the window, by default 10' },
  {
    name: 'mqtt.subscription_ttl',
    value: '604800000',
    why: 'milliseconds that it keeps the backlog of a bridge that is away; by default a day',
  },
  {
    name: 'mqtt.exchange',
    value: 'amq.topic',
    why: 'the default; whatever AMQP publishes there reaches the bridge too',
  },
];

export const rabbitmq: InteropBroker = {
  name: 'RabbitMQ',
  version: installedVersion(),
  package: 'rabbitmq-server',
  profile: 'rabbitmq',
  protocolVersion: 4,
  settings,
  async start(certificate) {
    const folder = temporaryFolder('rabbitmq');
    const ports = {
      mqtt: await freePort(),
      tls: await freePort(),
      epmd: await freePort(),
      distribution: await freePort(),
    };
    writeConfig(folder, ports, certificate);
    // The directory of Erlang nodes, which the node would start by itself, and leave running.
    const directory = await startProcess({
      command: 'epmd',
      args: ['-address', '127.0.0.1', '-port', String(ports.epmd)],
      logFile: join(folder, 'epmd.log'),
      ports: [ports.epmd],
    });
    const start = () =>
      startProcess({
        command,
        args: [],
        environment: environmentOf(folder, ports),
        logFile: join(folder, 'log'),
        ports: [ports.mqtt, ports.tls],
      });
    let running = await start();
    return {
      port: ports.mqtt,
      url: `mqtt://127.0.0.1:${ports.mqtt}`,
      tlsUrl: `mqtts://127.0.0.1:${ports.tls}`,
      end: (signal) => running.end(signal),
      async startAgain() {
        running = await start();
      },
      async close() {
        await running.end('SIGTERM');
        await directory.end('SIGTERM');
      },
    };
  },
};

interface Ports {
  readonly mqtt: number;
  readonly tls: number;
  readonly epmd: number;
  readonly distribution: number;
}

function writeConfig(folder: string, ports: Ports, certificate: Certificate): void {
  const lines = [
    'listeners.tcp = none',
    `mqtt.listeners.tcp.1 = 127.0.0.1:${ports.mqtt}`,
    `mqtt.listeners.ssl.1 = 127.0.0.1:${ports.tls}`,
    `ssl_options.cacertfile = ${certificate.caFile}`,
    `ssl_options.certfile = ${certificate.certFile}`,
    `ssl_options.keyfile = ${certificate.keyFile}`,
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
    ...settings.map(({ name, value }) => `${name} = ${value}`),
  ];
  writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_mqtt].\n');
}

function environmentOf(folder: string, ports: Ports): Record<string, string> {
  return {
    // Erlang's cookie is there.
    HOME: folder,
    RABBITMQ_NODENAME: 'interop@localhost',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false',
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // As under systemd the shell becomes Erlang, so that the process id is its own.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

function installedVersion(): string | undefined {
  if (!existsSync(command)) return undefined;
  const folders = readdirSync(join(home, 'lib')).join(' ');
  return /rabbitmq_server-(\S+)/.exec(folders)?.[1];
}
