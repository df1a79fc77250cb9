// Composition root of `npm run broker`: the embedded broker alone, without database, functions and bridge.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { genSalt, hash, truncates } from 'bcryptjs';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { isLoopback } from './local/broker/access.ts';
import { type EmbeddedBroker, startBroker } from './local/broker/broker.ts';
import { maxPasswordBytes } from './local/broker/passwords.ts';
import {
  brokerSettingsList,
  parseBrokerSettings,
  withEnvironment,
} from './local/broker/settings.ts';

const usage = `Runs the embedded MQTT 3.1.1 broker alone.

  npm run broker                     start it; Ctrl-C stops it
  npm run broker -- hash NAME        read a password from standard input, print a line for the users file
  npm run broker -- --help           show this

Settings, from the environment, or from a JSON file that BROKER_CONFIG names (the environment goes first):
`;

function fail(lines: readonly string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

function help(): string {
  const lines = brokerSettingsList().map(({ variable, path, description, preset }) => {
    const name = variable.padEnd(34);
    const suffix = preset === undefined ? '' : ` (default ${JSON.stringify(preset)})`;
    return `  ${name} ${path.join('.').padEnd(32)} ${description}${suffix}`;
  });
  return `${usage}${lines.join('\n')}\n`;
}

function readArguments(): { help: boolean; command: string | undefined; name: string } {
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    const [command, name = 'NAME', ...rest] = positionals;
    if ((command !== undefined && command !== 'hash') || rest.length > 0)
      throw new Error(`unknown argument: ${positionals.join(' ')}`);
    return { help: values.help ?? false, command, name };
  } catch (error) {
    return fail([
      error instanceof Error ? error.message : String(error),
      'Try: npm run broker -- --help',
    ]);
  }
}

/** A user with all rights; the file can take them back topic by topic. */
async function printUser(name: string): Promise<void> {
  const password = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  if (password === '') fail(['the password is empty']);
  if (truncates(password)) fail([`the password is longer than ${maxPasswordBytes} bytes`]);
  const user = { name, hash: await hash(password, await genSalt(10)) };
  process.stdout.write(`${JSON.stringify(user)}\n`);
}

function readConfigFile(): unknown {
  const file = process.env['BROKER_CONFIG'];
  if (file === undefined || file === '') return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return fail([`BROKER_CONFIG: ${file}: ${error instanceof Error ? error.message : error}`]);
  }
}

function welcome({ ports }: EmbeddedBroker, host: string, path: string | undefined): string {
  const schemes = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return Object.entries(ports)
    .map(([transport, port]) => {
      const scheme = schemes[transport as keyof typeof schemes];
      return `Listening on ${scheme}://${shownHost}:${port}${scheme.startsWith('ws') ? path : ''}`;
    })
    .join('\n');
}

const given = readArguments();
if (given.help) {
  process.stdout.write(help());
  process.exit(0);
}
if (given.command === 'hash') {
  await printUser(given.name);
  process.exit(0);
}
const list = brokerSettingsList();
const known = new Set(['BROKER_CONFIG', 'BROKER_URL', ...list.map(({ variable }) => variable)]);
const unknown = Object.keys(process.env).filter(
  (name) => name.startsWith('BROKER_') && !known.has(name),
);
if (unknown.length > 0) fail(unknown.map((name) => `${name}: is not a known setting`));
const document = withEnvironment(readConfigFile(), process.env);
const settings = parseBrokerSettings(document);
if (!settings.ok) {
  const named = ({ field, rule }: { field: string; rule: string }) => {
    const variable = list.find(({ path }) => path.join('.') === field)?.variable;
    return `${field}${variable === undefined ? '' : ` (${variable})`}: ${rule}`;
  };
  fail(settings.faults.map(named));
}
const { host, usersFile, websocket } = settings.value;

const log = pino(
  { level: process.env['LOG_LEVEL'] ?? 'warn' },
  pretty({ destination: 2, sync: true }),
);
const broker = await startBroker({ ...settings.value, log }).catch((error: Error) =>
  fail([error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message]),
);
console.log(welcome(broker, host, websocket?.path));
if (usersFile === undefined && host !== 'localhost' && !isLoopback(host))
  console.log('Without usersFile, only clients on this machine can connect.');

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void broker.close().then(() => process.exit(0));
  });
}
