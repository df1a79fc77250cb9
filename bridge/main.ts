// Composition root of the container: environment → bridge → run → drain on SIGTERM or SIGINT.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { pino } from 'pino';
import { faultText, parseWith } from '../functions/contract/parse.ts';
import { bridgeTokenOf } from '../functions/contract/secret.ts';
import { startBridge } from './bridge.ts';
import { type BridgeConfig, parseConfig } from './config.ts';
import { bridgeEnvironmentSchema } from './environment.ts';

// V8 lets the old generation grow to several times of what lives before it collects. By 70 % at a time, the bridge
// stays below 150 MB under full load instead of 200 MB, for half a microsecond a message (test/bench).
setFlagsFromString('--heap-growing-percent=70');

const environment = parseWith(bridgeEnvironmentSchema, process.env);
if (!environment.ok) fail(environment.faults.map(faultText));
const { CAUSEWAY_CONFIG, INTERNAL_SECRET, LOG_LEVEL } = environment.value;

const config = readConfig(CAUSEWAY_CONFIG);
const log = pino({ level: LOG_LEVEL });

const starting = startBridge(config, log).catch((error: Error) =>
  fail([`http.port: ${error.message}`]),
);

// Node is PID 1 in the container, where a signal without a handler is ignored: so before the start is over.
let draining = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (draining) return;
    draining = true;
    log.info({ signal }, 'draining');
    // Nothing may hold up the end: what is not acknowledged by then comes again.
    setTimeout(() => process.exit(0), config.drainTimeoutMs);
    void starting
      .then((bridge) => bridge.drain())
      .then(() => {
        log.info('drained');
        process.exit(0);
      });
  });
}

const { url } = await starting;
log.info({ url }, 'bridge started');

function readConfig(text: string): BridgeConfig {
  let document: unknown;
  try {
    document = JSON.parse(text.startsWith('{') ? text : readFileSync(text, 'utf8'));
  } catch (error) {
    // The errors of JSON.parse repeat what they could not read.
    const isSyntax = error instanceof SyntaxError;
    fail([`CAUSEWAY_CONFIG: ${isSyntax ? 'must be JSON' : (error as Error).message}`]);
  }
  const parsed = parseConfig(document);
  if (!parsed.ok) fail(parsed.faults.map((fault) => `CAUSEWAY_CONFIG: ${faultText(fault)}`));
  const { http } = parsed.value;
  if (http.token === undefined && INTERNAL_SECRET !== undefined)
    http.token = bridgeTokenOf(INTERNAL_SECRET);
  return parsed.value;
}

function fail(lines: string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
