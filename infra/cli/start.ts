// Composition root of `npx causeway start`, and of `npm start`: settings → local stack → what to do next, printed → stop on Ctrl-C.
import { parseArgs } from 'node:util';
import { ConditionWatch } from '../../bridge/alerts/condition-watch.ts';
import { onStopSignal } from '../../bridge/base/stop-signal.ts';
import { tracingIn } from '../../bridge/tracing/environment.ts';
import { faultText } from '../../functions/contract/parse.ts';
import { privateUmask } from '../level/private-folder.ts';
import type { LocalConfig } from '../local/bridge-document.ts';
import { readConfigFile } from '../local/config-file.ts';
import { startDemo } from '../local/demo.ts';
import { hookSecretIn } from '../local/hook-secret.ts';
import { type Hook, type HookOption, hookRoutes, parseHooks } from '../local/hooks.ts';
import { reportCalls, reportConditions } from '../local/report.ts';
import { SettingError } from '../local/setting-error.ts';
import { parseSettings, type Settings, settingsHelp } from '../local/settings.ts';
import { startStack } from '../local/stack.ts';
import { terminalLog } from '../local/terminal-log.ts';
import { welcome } from '../local/welcome.ts';
import { commandLine } from './command-line.ts';
import { fail, failWithHelp } from './server-command.ts';

const help = `Runs all of Causeway on this machine: broker, database, functions and bridge.

  ${commandLine('start')}
                             start everything
  ${commandLine('start', '--demo')}
                             and a few simulated devices
  ${commandLine('start', '--hook http://localhost:3000/x')}
                             and send all messages there, one a request, signed; each request is shown. It can be given
                             several times, with what is for it behind it: --filter "rooms/#", and --format cloudevents
                             (by default), cloudevents-batch, cloudevents-binary or raw
  ${commandLine('start', '--help')}
                             show this

Routes and retention are those of causeway.config.ts, .mjs or .js in this folder; without it, everything is stored for 30 days.
Settings, from the environment:
${settingsHelp()}
`;

interface Options {
  readonly demo: boolean;
  readonly help: boolean;
  readonly hooks: readonly Hook[];
}

function readOptions(): Options {
  try {
    const { values, tokens } = parseArgs({
      options: {
        demo: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        hook: { type: 'string', multiple: true },
        filter: { type: 'string', multiple: true },
        format: { type: 'string', multiple: true },
      },
      tokens: true,
    });
    const parsed = parseHooks(
      tokens.flatMap((token) =>
        token.kind === 'option' && token.value !== undefined
          ? { name: token.name as HookOption, value: token.value }
          : [],
      ),
    );
    if (!parsed.ok) failWithHelp('start', parsed.faults);
    return { demo: values.demo ?? false, help: values.help ?? false, hooks: parsed.hooks };
  } catch (error) {
    failWithHelp('start', [error instanceof Error ? error.message : String(error)]);
  }
}

const options = readOptions();
if (options.help) {
  process.stdout.write(help);
  process.exit(0);
}
const settings = parseSettings(process.env);
const read = await readConfigFile(process.cwd());
if (!settings.ok || !read.ok) {
  fail([...(settings.ok ? [] : settings.faults.map(faultText)), ...(read.ok ? [] : read.problems)]);
}
const { config, file } = read;

if (settings.value.USE_CONFIG_BROKER && file === undefined)
  fail(['USE_CONFIG_BROKER: there is no causeway.config.ts, .mjs or .js in this folder']);
if (options.demo && settings.value.USE_CONFIG_BROKER)
  fail(['USE_CONFIG_BROKER: --demo would publish to the broker of causeway.config.ts']);

privateUmask();
const log = terminalLog(settings.value.LOG_LEVEL);
const print = (line: string) => console.log(line);

/** Resolves with what stops all of it, when it is ready. */
async function start(settings: Settings, config: LocalConfig): Promise<() => Promise<void>> {
  const secret = options.hooks.length === 0 ? undefined : await hookSecretIn(settings.DATA_DIR);
  const hooks = secret && { routes: hookRoutes(options.hooks, secret.secret), secret };
  const names = new Set(hooks?.routes.map(({ name }) => name));
  const tracing = await tracingIn(settings, log);
  const stack = await startStack(settings, config, log, {
    tracing,
    ...(hooks !== undefined && { hooks: hooks.routes }),
    onCallOf: (route) => (names.has(route) ? reportCalls(route, print) : undefined),
  });
  const demo = options.demo ? startDemo(stack.ownBrokerUrl, print) : undefined;
  print(welcome(stack, { settings, config, demo: options.demo, hooks }));
  const endReport = reportConditions(() => stack.conditions(), new ConditionWatch(0), print);
  return async () => {
    endReport();
    await demo?.stop();
    await stack.stop();
  };
}

const starting = start(settings.value, config).catch((error: unknown) => {
  if (error instanceof SettingError) fail([error.message]);
  throw error;
});
onStopSignal(async () => (await starting)());
