// `cdk bootstrap` and `cdk deploy` onto an emulator of AWS, twice: what CloudFormation is given creates everything, runs, and
// the second deploy leaves what the first has stored.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { encodeEnvelope } from '../../../functions/contract/envelope.ts';
import { timeText } from '../../../functions/contract/time.ts';
import { message } from '../../support/messages.ts';
import { minimal } from '../aws/synth.ts';
import { type Assembly, cdk, synthesize } from './cdk.ts';
import {
  type Answer,
  type Emulator,
  installEmulator,
  type StackResource,
  startEmulator,
} from './emulator.ts';

const stackName = 'Causeway';
const alarms = { email: 'somebody@example.com' };
const program = installEmulator();

describe.skipIf(program === undefined)(
  'deployed (needs Python 3.10, and ministack from pip)',
  () => {
    let emulator: Emulator;
    let first: Assembly;
    let second: Assembly;
    let outputs: Record<string, string>;
    let token = '';

    async function deploy(assembly: Assembly): Promise<void> {
      const file = join(assembly.folder, 'outputs.json');
      const { code, output } = await cdk(
        emulator,
        ...['deploy', stackName, '--app', assembly.folder, '--outputs-file', file],
        ...['--require-approval', 'never'],
      );
      if (code !== 0) throw new Error(`${output}\n${emulator.output()}`);
      outputs = JSON.parse(readFileSync(file, 'utf8'))[stackName];
    }

    /** 0 without differences, 1 with some. */
    async function differences(assembly: Assembly): Promise<number | null> {
      const { code } = await cdk(emulator, 'diff', stackName, '--app', assembly.folder, '--fail');
      return code;
    }

    function only(resources: Record<string, StackResource>, type: string, name = ''): string {
      const found = Object.entries(resources).filter(
        ([id, resource]) => resource.type === type && id.includes(name),
      );
      expect(found).toHaveLength(1);
      return found[0]?.[1].physicalId ?? '';
    }

    async function get(path: string): Promise<Answer> {
      // The emulator prints a host that not every resolver knows; it serves the same API under this path.
      const [apiId] = new URL(outputs['ApiUrl'] ?? '').hostname.split('.');
      const response = await fetch(`${emulator.url}/_aws/execute-api/${apiId}/$default${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return response.json();
    }

    async function invoke(functionName: string, event: string): Promise<unknown> {
      const path = `/2015-03-31/functions/${functionName}/invocations`;
      const response = await fetch(`${emulator.url}${path}`, { method: 'POST', body: event });
      return response.json();
    }

    async function bridgeConfig(resources: Record<string, StackResource>) {
      const { taskDefinition } = await emulator.call(
        'AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition',
        { taskDefinition: only(resources, 'AWS::ECS::TaskDefinition') },
      );
      const [{ environment }] = taskDefinition.containerDefinitions;
      const { value } = environment.find(({ name }: Answer) => name === 'CAUSEWAY_CONFIG');
      return parseConfig(JSON.parse(value));
    }

    beforeAll(async () => {
      first = synthesize({ ...minimal, alarms });
      second = synthesize({
        ...minimal,
        alarms,
        routes: [
          { name: 'store', filter: 'devices/#', retentionDays: 7 },
          {
            name: 'hook',
            filter: 'b/#',
            handler: { url: 'https://a.example.com', secretName: 'a' },
          },
        ],
        retentionDays: 90,
        logRetentionDays: 90,
      });
      emulator = await startEmulator(program ?? '');
      const { code, output } = await cdk(emulator, 'bootstrap', 'aws://000000000000/us-east-1');
      if (code !== 0) throw new Error(output);
      await deploy(first);
    });

    afterAll(() => emulator?.stop());

    test('everything in the template is created', async () => {
      const resources = await emulator.resourcesOf(stackName);
      expect(Object.keys(resources).sort()).toEqual([...first.logicalIds].sort());
      for (const [id, { status }] of Object.entries(resources))
        expect(status, id).toBe('CREATE_COMPLETE');
    });

    test('the task is given a config that the bridge takes', async () => {
      const config = await bridgeConfig(await emulator.resourcesOf(stackName));
      expect(config).toMatchObject({
        ok: true,
        value: { routes: [{ name: 'store', filter: '#' }] },
      });
    });

    test('cdk diff says nothing, and tells the second deploy from the first', async () => {
      expect(await differences(first)).toBe(0);
      expect(await differences(second)).toBe(1);
    });

    test('the functions store and answer, with a token of the command that the stack prints', async () => {
      const { stdout } = await promisify(execFile)('sh', ['-c', outputs['TokenCommand'] ?? ''], {
        env: emulator.environment,
      });
      [token = ''] = /causeway_[0-9a-f]{16}_\S{43}/.exec(stdout) ?? [];
      const ingest = only(await emulator.resourcesOf(stackName), 'AWS::Lambda::Function', 'Ingest');
      const stored = message({ topic: 'rooms/kitchen', time: timeText(Date.now()) });
      expect(await invoke(ingest, `[${encodeEnvelope(stored)}]`)).toEqual({
        batchItemFailures: [],
      });
      expect(await get('/v1/messages?topic=rooms/kitchen')).toMatchObject({
        messages: [{ topic: 'rooms/kitchen', payload: { celsius: 21.5 } }],
      });
    });

    test('a deploy with other routes and retention replaces the task definition, and nothing else', async () => {
      const before = await emulator.resourcesOf(stackName);
      const addressBefore = outputs['ApiUrl'];
      const logGroups = Object.values(before).filter(({ type }) => type === 'AWS::Logs::LogGroup');
      // A log group may be made again under the same name; what it held is gone then.
      for (const { physicalId: logGroupName } of logGroups)
        await emulator.call('Logs_20140328.CreateLogStream', {
          logGroupName,
          logStreamName: 'kept',
        });

      await deploy(second);
      const after = await emulator.resourcesOf(stackName);
      const replaced = Object.entries(before).filter(
        ([id, { physicalId }]) => after[id]?.physicalId !== physicalId,
      );
      expect(replaced.map(([, { type }]) => type)).toEqual(['AWS::ECS::TaskDefinition']);
      for (const { physicalId: logGroupName } of logGroups)
        expect(
          await emulator.call('Logs_20140328.DescribeLogStreams', {
            logGroupName,
            logStreamNamePrefix: 'kept',
          }),
        ).toMatchObject({ logStreams: [{ logStreamName: 'kept' }] });
      expect(outputs['ApiUrl']).toBe(addressBefore);
      expect(await get('/v1/messages?topic=rooms/kitchen')).toMatchObject({
        messages: [{ payload: { celsius: 21.5 } }],
      });
    });

    test('the second deploy has arrived, and cdk diff says nothing again', async () => {
      const resources = await emulator.resourcesOf(stackName);
      expect(Object.keys(resources).sort()).toEqual([...second.logicalIds].sort());
      expect(await bridgeConfig(resources)).toMatchObject({
        ok: true,
        value: {
          routes: [
            { name: 'store', filter: 'devices/#' },
            { name: 'hook', filter: 'b/#' },
          ],
        },
      });
      const { logGroups } = await emulator.call('Logs_20140328.DescribeLogGroups', {
        logGroupNamePrefix: only(resources, 'AWS::Logs::LogGroup', 'IngestLog'),
      });
      expect(logGroups).toMatchObject([{ retentionInDays: 90 }]);
      expect(await differences(second)).toBe(0);
    });
  },
);
