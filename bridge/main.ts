// Composition root of the container: CAUSEWAY_CONFIG → bridge → run → drain on SIGTERM or SIGINT.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { pino } from 'pino';
import { startBridge } from './bridge.ts';
import { type BridgeConfig, parseConfig } from './config.ts';

// V8 lets the old generation grow to several times of what lives before it collects. By 70 % at a time, the bridge
// stays below 150 MB under full load instead of 200 MB, for half a microsecond a message (test/bench).
setFlagsFromString('--heap-growing-percent=70');

/** CAUSEWAY_CONFIG is the document itself, or the path of a file that holds it. */
function readConfig(text: string | undefined): BridgeConfig {
  if (text === undefined || text.trim() === '')
    fail(['CAUSEWAY_CONFIG must be a JSON document or the path of one']);
  let document: unknown;
  try {
    document = JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8'));
  } catch (error) {
    fail([`CAUSEWAY_CONFIG: ${error instanceof Error ? error.message : error}`]);
  }
  const parsed = parseConfig(document);
  if (!parsed.ok)
    fail(parsed.faults.map(({ field, rule }) => `CAUSEWAY_CONFIG: ${field}: ${rule}`));
  return parsed.value;
}

function fail(lines: string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

const config = readConfig(process.env['CAUSEWAY_CONFIG']);
const log = pino({ level: process.env['LOG_LEVEL'] ?? 'info' });

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
