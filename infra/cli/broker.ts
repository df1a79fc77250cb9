// Composition root of `npx causeway broker`: the embedded broker alone, without database, functions and bridge.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { genSalt, hash, truncates } from 'bcryptjs';
import { Hono } from 'hono';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { jsonIn } from '../../bridge/base/given-text.ts';
import { type Listening, listen } from '../../bridge/base/listen.ts';
import { onStopSignal } from '../../bridge/base/stop-signal.ts';
import { logLevel } from '../../bridge/environment.ts';
import { faultsText, faultText, parseWith } from '../../functions/contract/parse.ts';
import { isLoopback } from '../broker/access/access.ts';
import { maxPasswordBytes } from '../broker/access/passwords.ts';
import { usersSchema } from '../broker/access/users.ts';
import { type EmbeddedBroker, startBroker } from '../broker/broker.ts';
import { brokerHelp, brokerSettingsOf } from '../broker/settings/environment.ts';
import type { BrokerSettings } from '../broker/settings/settings.ts';
import { brokerMetrics } from '../broker/telemetry/metrics.ts';
import { privateUmask } from '../level/private-folder.ts';
import { commandLine } from './command-line.ts';
import { fail, failWithHelp } from './server-command.ts';

const usage = `Runs the embedded MQTT broker alone (MQTT 5, 3.1.1 and 3.1).

  ${commandLine('broker')}
                  start it; Ctrl-C stops it
  ${commandLine('broker', 'hash NAME')}
                  read a password from standard input, print a line for the users file
  ${commandLine('broker', '--help')}
                  show this

LOG_LEVEL (default warn) says what is logged; METRICS_PORT, where Prometheus finds /metrics on 127.0.0.1 (default nowhere).
Settings, from the environment, or from a JSON file that BROKER_CONFIG names (the environment goes first):
`;

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
    return failWithHelp('broker', [error instanceof Error ? error.message : String(error)]);
  }
}

/** A user with all rights; the file can take them back topic by topic. */
async function printUser(name: string): Promise<void> {
  const password = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  if (password === '') fail(['the password is empty']);
  if (truncates(password)) fail([`the password is longer than ${maxPasswordBytes} bytes`]);
  const user = { name, hash: await hash(password, await genSalt(10)) };
  const parsed = parseWith(usersSchema.shape.users.element, user);
  if (!parsed.ok) fail(parsed.faults.map(faultText));
  process.stdout.write(`${JSON.stringify(user)}\n`);
}

function readConfigFile(): unknown {
  const file = process.env['BROKER_CONFIG'];
  if (file === undefined || file === '') return {};
  try {
    const document = jsonIn(readFileSync(file, 'utf8'));
    return document.ok ? document.value : fail([`BROKER_CONFIG: ${file}: ${document.mistake}`]);
  } catch (error) {
    return fail([`BROKER_CONFIG: ${file}: ${error instanceof Error ? error.message : error}`]);
  }
}

function readLogLevel(): string {
  const level = parseWith(logLevel, process.env['LOG_LEVEL'] || 'warn');
  return level.ok ? level.value : fail([`LOG_LEVEL: ${faultsText(level.faults)}`]);
}

function readMetricsPort(): number | undefined {
  const text = process.env['METRICS_PORT'] ?? '';
  if (text === '') return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  return fail(['METRICS_PORT: must be a port number from 0 to 65535']);
}

const given = readArguments();
if (given.help) {
  process.stdout.write(`${usage}${brokerHelp({}, true)}\n`);
  process.exit(0);
}
if (given.command === 'hash') {
  await printUser(given.name);
  process.exit(0);
}
const settings = brokerSettingsOf(process.env, {
  document: readConfigFile(),
  others: ['BROKER_CONFIG', 'BROKER_URL'],
});
const metricsPort = readMetricsPort();
const level = readLogLevel();
if (!settings.ok) fail(settings.faults.map(faultText));
const { host, tls, websocket, usersFile } = settings.value;

privateUmask();
const log = pino({ level }, pretty({ destination: 2, sync: true }));
const starting = start(settings.value);
onStopSignal(async () => {
  const { broker, metrics } = await starting;
  await Promise.all([broker.close(), metrics?.close()]);
});
const { broker, metrics } = await starting;
console.log(broker.urls.map((url) => `Listening on ${url}`).join('\n'));
if (metrics !== undefined) console.log(`Metrics at ${metrics.url}/metrics`);
const hosts = [host, tls?.host ?? host, websocket?.host ?? host];
if (usersFile === undefined && hosts.some((one) => one !== 'localhost' && !isLoopback(one)))
  console.log('Without usersFile, only clients on this machine can connect.');

async function start(settings: BrokerSettings) {
  const broker = await startBroker({ ...settings, log }).catch((error: Error) =>
    fail([
      error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message,
    ]),
  );
  const metrics = metricsPort === undefined ? undefined : await serveMetrics(broker, metricsPort);
  return { broker, metrics };
}

/** The numbers name no client, but are nobody else's business: loopback only. */
async function serveMetrics(broker: EmbeddedBroker, port: number): Promise<Listening> {
  const { scrape } = brokerMetrics(broker.counters, broker.gauges);
  const app = new Hono();
  app.get('/metrics', async (context) => {
    const { text, contentType } = await scrape();
    return context.body(text, 200, { 'content-type': contentType });
  });
  return listen(app, '127.0.0.1', port).catch(async (error: Error) => {
    await broker.close();
    return fail([`METRICS_PORT: ${error.message}`]);
  });
}
