// Composition root of `npm start`: settings → local stack → what to do next, printed → stop on Ctrl-C.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import deployment from '../../causeway.config.ts';
import { faultText } from '../../functions/contract/parse.ts';
import { parseDeployment } from '../config.ts';
import { startDemo } from './demo.ts';
import { SettingError } from './setting-error.ts';
import { parseSettings, settingsHelp } from './settings.ts';
import { startStack } from './stack.ts';
import { welcome } from './welcome.ts';

const help = `Runs all of Causeway on this machine: broker, database, functions and bridge.

  npm start                  start everything
  npm start -- --demo        and a few simulated devices
  npm start -- --help        show this

Routes and retention are those of causeway.config.ts. Settings, from the environment:
${settingsHelp()}
`;

function fail(lines: readonly string[]): never {
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

function readOptions(): { demo: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      options: { demo: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    return { demo: values.demo ?? false, help: values.help ?? false };
  } catch (error) {
    fail([error instanceof Error ? error.message : String(error), 'Try: npm start -- --help']);
  }
}

// The SDK announces the end of its Node 20 support on stderr; the Node version is the user's choice.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const options = readOptions();
if (options.help) {
  process.stdout.write(help);
  process.exit(0);
}
const settings = parseSettings(process.env);
const config = parseDeployment(deployment);
if (!settings.ok || !config.ok) {
  fail([
    ...(settings.ok ? [] : settings.faults.map(faultText)),
    ...(config.ok ? [] : config.faults.map((fault) => `causeway.config.ts: ${faultText(fault)}`)),
  ]);
}

if (options.demo && settings.value.USE_CONFIG_BROKER)
  fail(['USE_CONFIG_BROKER: --demo would publish to the broker of causeway.config.ts']);

const log = pino({ level: settings.value.LOG_LEVEL }, pretty({ destination: 2, sync: true }));
const stack = await startStack(settings.value, config.value, log).catch((error: unknown) => {
  if (error instanceof SettingError) fail([error.message]);
  throw error;
});
const demo = options.demo ? startDemo(stack.ownBrokerUrl, (line) => console.log(line)) : undefined;
console.log(welcome(stack, { settings: settings.value, config: config.value, demo: options.demo }));

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void Promise.resolve(demo?.stop())
      .then(() => stack.stop())
      .then(() => process.exit(0));
  });
}
