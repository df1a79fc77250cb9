// `cdk` against the emulator, with stacks that it can make: what it does not know is worked around here, each with its reason.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App, CfnResource } from 'aws-cdk-lib';
import type { DeploymentInput } from '../../../infra/config/config.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { addStack } from '../aws/synth.ts';
import { startChild } from '../template/rig/child.ts';
import type { Emulator } from './emulator.ts';

/** Left out of the template, as the emulator refuses one with a type that it does not have. Nothing else refers to them. */
const unknownTypes: readonly string[] = [
  'AWS::EC2::FlowLog',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
];

export interface Assembly {
  readonly folder: string;
  /** Logical ids of the template. */
  readonly logicalIds: readonly string[];
}

/** Synthesizes without cdk-nag, which asks for the flow log; `npm test` has it. */
export function synthesize(input: DeploymentInput): Assembly {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'));
  const app = new App({ context, outdir: temporaryFolder('cdk-out') });
  const stack = addStack(app, input);
  for (const construct of stack.node.findAll())
    if (CfnResource.isCfnResource(construct) && unknownTypes.includes(construct.cfnResourceType))
      construct.node.scope?.node.tryRemoveChild(construct.node.id);
  const { directory } = app.synth();
  const file = join(directory, `${stack.stackName}.template.json`);
  const { Resources } = JSON.parse(readFileSync(file, 'utf8'));
  return { folder: directory, logicalIds: Object.keys(Resources) };
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs `cdk` to its end, as somebody whose AWS is the emulator. */
export async function cdk(emulator: Emulator, ...parameters: readonly string[]): Promise<Ended> {
  const child = startChild(resolve('node_modules/.bin/cdk'), [...parameters, '--no-notices'], {
    folder: emulator.folder,
    environment: {
      ...emulator.environment,
      CI: 'true',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CDK_DISABLE_VERSION_CHECK: 'true',
      // The emulator knows of images, but keeps none: `docker build` and `docker push` succeed, and do nothing.
      CDK_DOCKER: 'true',
    },
  });
  const code = await child.exited;
  return { code, output: child.output() };
}
