// How the tests run: what `npm test`, `npm run faults`, `npm run interop` and `npm run image` are; the reporter's last
// line counts them.
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const image = ['test/infra/template/image.test.ts'];
const stack = ['test/infra/aws/**/*.test.ts'];
const faults = ['test/faults/**/*.test.ts'];
/** Brokers of others, and ours that have the rules of AWS IoT Core and OneNET, with their times. */
const interop = [
  'test/interop/**/*.test.ts',
  'test/bridge/broker/{aws-iot,aws-iot-limits,onenet}.test.ts',
  'test/e2e/onenet.test.ts',
];

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
      project('ordinary', ['test/**/*.test.ts'], {
        exclude: [...image, ...stack, ...faults, ...interop],
      }),
      // Each file by itself would load the CDK, and synthesize the same stacks: half a minute in all.
      project('stack', stack, { isolate: false }),
      project('faults', faults),
      project('interop', interop),
      project('image', image),
    ],
    globalSetup: './test/support/global-setup.ts',
    reporters: ['default', './test/support/reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // The real brokers, databases and child processes of several files share two cores.
    maxWorkers: 2,
    env: {
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
  },
});
