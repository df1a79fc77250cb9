// How the tests run: what `npm test`, `npm run unit`, `npm run matrix`, `npm run conformance`, `npm run faults`,
// `npm run attacks`, `npm run interop`, `npm run console`, `npm run image`, `npm run package` and `npm run deploy:test` are; the reporter's last line counts them.
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { matrixTests } from './test/support/matrix-tests.ts';
import { unitTests } from './test/support/unit-tests.ts';

const unit = unitTests();
/** They start a table, and close it; DynamoDB Local is shared. */
const table = ['test/functions/**/*.test.ts'];
const image = ['test/infra/{template,local}/image.test.ts'];
const template = ['test/infra/template/template.test.ts'];
const installed = ['test/infra/package/**/*.test.ts'];
/** `cdk deploy` onto an emulator of AWS, which pip fetches. */
const deployed = ['test/infra/deploy/**/*.test.ts'];
const stack = ['test/infra/aws/**/*.test.ts'];
const conformance = ['test/conformance/**/*.test.ts'];
const faults = ['test/faults/**/*.test.ts'];
/** Chromium against the real `npm start`. */
const browser = ['test/console/**/*.test.ts'];
const attacks = ['test/attacks/**/*.test.ts'];
/** Programs in the languages of others: they need toolchains, and what these fetch. */
const clients = ['test/interop/{clients,mqtt-clients,receivers,sdks}/**/*.test.ts'];
/** Brokers of others, and ours that have the rules of AWS IoT Core and OneNET or misbehave, with their times. */
const interop = [
  'test/interop/**/*.test.ts',
  'test/bridge/connection/{aws-iot,aws-iot-absence,aws-iot-limits,onenet}.test.ts',
  'test/bridge/connection/keep-alive.test.ts',
  'test/bridge/commands/trials.test.ts',
  'test/bridge/session-ledger/left-sessions.test.ts',
  'test/e2e/onenet.test.ts',
];
/** What is synthesized has assets. */
const bundles = './test/support/bundles.ts';

function project(
  name: string,
  include: readonly string[],
  test: TestProjectInlineConfiguration['test'] = {},
): TestProjectInlineConfiguration {
  return { extends: true, test: { name, include: [...include], ...test } };
}

export default defineConfig({
  test: {
    projects: [
      project('unit', unit, {
        isolate: false,
        setupFiles: './test/support/start-nothing.ts',
      }),
      project('table', table, { exclude: unit, isolate: false }),
      project('ordinary', ['test/**/*.test.ts'], {
        isolate: false,
        exclude: [
          ...[...unit, ...table, ...image, ...template, ...installed, ...deployed, ...stack],
          ...[...conformance, ...faults, ...attacks, ...interop, ...clients, ...browser],
        ],
      }),
      // Each file by itself would load the CDK, and synthesize the same stacks: half a minute in all.
      project('stack', stack, { isolate: false, globalSetup: bundles }),
      project('template', template, { globalSetup: bundles }),
      project('matrix', matrixTests(), { isolate: false, provide: { everyVariant: true } }),
      // Rows mostly wait for the server, some for seconds that the standard counts.
      project('conformance', conformance, { maxConcurrency: 50 }),
      project('faults', faults),
      project('attacks', attacks),
      project('console', browser),
      project('interop', interop, { exclude: clients }),
      project('clients', clients),
      project('image', image, { globalSetup: bundles }),
      project('package', installed),
      project('deploy', deployed, { globalSetup: bundles }),
    ],
    globalSetup: './test/support/global-setup.ts',
    reporters: ['default', './test/attacks/reporter.ts', './test/support/reporter.ts'],
    // They end what hangs. No test rests on them, however busy the machine is.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // One more than the cores: a test mainly waits for brokers, databases and child processes.
    maxWorkers: 3,
    env: {
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
  },
});
