// MiniStack, an emulator of AWS: installed by pip into a folder that goes with the test, on a free port of loopback; and
// what is asked of it besides what `cdk` asks.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/brokers.ts';
import { freePort } from '../../support/ports.ts';
import { until } from '../../support/wait.ts';
import { startChild } from '../template/rig/child.ts';

/** Its own default, for calls that are not signed. */
const region = 'us-east-1';

export interface Emulator {
  /** Its own, where what it starts may write. */
  readonly folder: string;
  readonly url: string;
  /** What a program needs to take it for AWS. Nothing of the test's environment but the path. */
  readonly environment: Readonly<Record<string, string>>;
  /** A call of a service that speaks JSON; `target` names service and operation. */
  call(target: string, input: object): Promise<Answer>;
  /** Logical ids of what a stack has, with their physical ids. */
  resourcesOf(stackName: string): Promise<Record<string, StackResource>>;
  output(): string;
  stop(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
export type Answer = any;

export interface StackResource {
  readonly type: string;
  readonly status: string;
  readonly physicalId: string;
}

/** Installs it; undefined where there is no Python 3.10 with venv and pip, or no registry of packages. */
export function installEmulator(): string | undefined {
  const folder = temporaryFolder('emulator');
  const { status } = spawnSync('test/infra/deploy/emulator.sh', [folder], { stdio: 'ignore' });
  if (status === 0) return join(folder, 'bin/ministack');
  rmSync(folder, { recursive: true });
  return undefined;
}

/** Starts it; with its end it is gone from the disk, too. */
export async function startEmulator(program: string): Promise<Emulator> {
  const port = await freePort();
  const folder = temporaryFolder('emulated');
  const { PATH = '' } = process.env;
  // Functions run in the Node that runs the test.
  const base = { PATH: `${join(process.execPath, '..')}:${PATH}`, HOME: folder, TMPDIR: folder };
  const child = startChild(program, [], {
    folder,
    environment: { ...base, BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port) },
  });
  const url = `http://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(`${url}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(async () => child.process.exitCode !== null || (await isUp()));
  if (child.process.exitCode !== null) throw new Error(child.output());

  return {
    folder,
    url,
    environment: {
      ...base,
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    async call(target, input) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' },
        body: JSON.stringify(input),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${target}: ${response.status} ${text}`);
      return text === '' ? {} : JSON.parse(text);
    },
    async resourcesOf(stackName) {
      const response = await fetch(url, {
        method: 'POST',
        body: new URLSearchParams({ Action: 'DescribeStackResources', StackName: stackName }),
      });
      const members = (await response.text()).split('<member>').slice(1);
      return Object.fromEntries(members.map(resourceIn));
    },
    output: child.output,
    async stop() {
      child.process.kill();
      await child.exited;
      // Thousands of files: more than a worker has time for when vitest ends it.
      for (const one of [folder, join(program, '../..')])
        rmSync(one, { recursive: true, maxRetries: 10 });
    },
  };
}

function resourceIn(xml: string): [string, StackResource] {
  const textOf = (name: string) => new RegExp(`<${name}>([^<]*)<`).exec(xml)?.[1] ?? '';
  return [
    textOf('LogicalResourceId'),
    {
      type: textOf('ResourceType'),
      status: textOf('ResourceStatus'),
      physicalId: textOf('PhysicalResourceId'),
    },
  ];
}
