// Composition root of the container: environment → bridge → run → drain on SIGTERM or SIGINT.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { pino } from 'pino';
import { faultText, parseWith } from '../functions/contract/parse.ts';
import type { BridgeAddress } from '../functions/table/bridge-item.ts';
import { jsonIn } from './base/given-text.ts';
import { onStopSignal } from './base/stop-signal.ts';
import { readTaskAddress } from './base/task-address.ts';
import { type Bridge, SecretsRefused, startBridge } from './bridge.ts';
import { type BridgeConfig, parseConfig } from './config/config.ts';
import { bridgeEnvironmentSchema } from './environment.ts';
import { tracingIn } from './tracing/environment.ts';

// V8 lets the old generation grow to several times of what lives before it collects. By 70 % at a time, the bridge
// stays below 150 MB under full load instead of 200 MB, for half a microsecond a message (test/bench).
setFlagsFromString('--heap-growing-percent=70');

const environment = parseWith(bridgeEnvironmentSchema, process.env);
if (!environment.ok) fail(environment.faults.map(faultText));
const { CAUSEWAY_CONFIG, ECS_CONTAINER_METADATA_URI_V4, LOG_LEVEL } = environment.value;

const config = readConfig(CAUSEWAY_CONFIG);
const log = pino({ level: LOG_LEVEL });

const tracing = tracingIn(environment.value, log);
const starting = start();

onStopSignal(async (signal) => {
  log.info({ signal }, 'draining');
  // Nothing may hold up the end: what is not acknowledged by then comes again.
  setTimeout(() => process.exit(0), config.drainTimeoutMs);
  await (await starting).drain();
  await (await tracing)?.close();
  log.info('drained');
});

const { url } = await starting;
log.info({ url }, 'bridge started');

async function start(): Promise<Bridge> {
  const address = await ownAddress();
  return startBridge(config, log, { tracing: await tracing, address }).catch((error: Error) =>
    fail([error instanceof SecretsRefused ? error.message : `http.port: ${error.message}`]),
  );
}

function readConfig(text: string): BridgeConfig {
  const document = jsonIn(text.startsWith('{') ? text : configFile(text));
  if (!document.ok) fail([`CAUSEWAY_CONFIG: ${document.mistake}`]);
  const parsed = parseConfig(document.value);
  if (!parsed.ok) fail(parsed.faults.map((fault) => `CAUSEWAY_CONFIG: ${faultText(fault)}`));
  return parsed.value;
}

/** Where the api reaches this bridge, and with which token; undefined where it is not a task of ECS. */
async function ownAddress(): Promise<BridgeAddress | undefined> {
  if (ECS_CONTAINER_METADATA_URI_V4 === undefined) return undefined;
  const host = await readTaskAddress(ECS_CONTAINER_METADATA_URI_V4);
  if (host === undefined)
    log.error('the task does not know its address: the api cannot reach this bridge');
  config.http.token ??= randomBytes(32).toString('base64url');
  const { port, token } = config.http;
  return host === undefined ? undefined : { url: `http://${host}:${port}`, token };
}

function configFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fail([`CAUSEWAY_CONFIG: ${(error as Error).message}`]);
  }
}

function fail(lines: string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
