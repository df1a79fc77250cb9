// What a user does with a deployment, done with one that runs from its template; and what its roles did meanwhile.
import { execFile } from 'node:child_process';
import https from 'node:https';
import { promisify } from 'node:util';
import { DescribeTimeToLiveCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '../../../functions/table/item.ts';
import { dynamoDbLocal, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';
import { describeAfterRestart, describeOperations } from './operations.ts';
import { operator } from './rig/access.ts';
import { type Deployment, deploy } from './rig/deployment.ts';
import { unusedOf } from './rig/policies.ts';
import { signedHeaders } from './rig/sigv4.ts';
import type { DeployOptions } from './rig/site.ts';
import { secretsOf, synthesize } from './rig/stack.ts';
import { startWorld, type World } from './rig/world.ts';
import { startUser, type User } from './user.ts';

/** Allowed, and not used here: each with the reason that it is allowed. */
const unused: readonly (readonly [RegExp, string])[] = [
  [/ logs:\w+ /, 'AWS itself writes the logs, not the programs'],
  [/^CausewayApiRole ec2:\w+ /, 'Lambda makes the network interfaces of a function in a VPC'],
  [/^CausewayBridgeTaskExecutionRole ecr:\w+ /, 'ECS pulls the image'],
];

interface DeploymentSuite extends Pick<DeployOptions, 'runnerOf'> {
  readonly isAvailable: boolean;
  readonly startTimeoutMs?: number;
  /** More tests, while it runs. */
  readonly more?: (deployment: () => Deployment) => void;
}

export function describeDeployment(
  name: string,
  { runnerOf, isAvailable, startTimeoutMs = 180_000, more }: DeploymentSuite,
): void {
  const canRun = isAvailable && dynamoDbLocal.available;
  const lacks = dynamoDbLocal.available ? '' : dynamoDbLocal.name;

  describe.skipIf(!canRun)(`${name} ${lacks}`.trim(), () => {
    let world: World;
    let database: TestTable;
    let deployment: Deployment;
    let user: User;

    beforeAll(async () => {
      world = await startWorld();
      database = await dynamoDbLocal.start();
      deployment = await deploy(synthesize(world), {
        database,
        runnerOf,
        caFile: world.caFile,
        certificate: world.serverCertificate,
        secrets: secretsOf(world),
      });
      user = await startUser(deployment, world);
    }, startTimeoutMs);

    afterAll(async () => {
      await user?.leave();
      await deployment?.close();
      await database?.close();
      await world?.close();
    });

    function functionNamed(name: string) {
      const found = deployment.functions.get(name);
      if (found === undefined) throw new Error(`no function ${name}`);
      return found;
    }

    test('its task is healthy, by the health check of its definition', async () => {
      await until(() => deployment.task().isHealthy(), { what: 'healthy' }).catch((error) => {
        throw new Error(`${error}\n${deployment.logs()}`);
      });
    });

    more?.(() => deployment);

    test('a token is made by the command that the stack prints', async () => {
      const { TokenCommand = '' } = deployment.outputs;
      const { stdout } = await promisify(execFile)('sh', ['-c', TokenCommand], {
        env: { PATH: process.env['PATH'], ...deployment.environmentOf(operator) },
      });
      [user.token = ''] = /causeway_[0-9a-f]{16}_\S{43}/.exec(stdout) ?? [];
      expect((await user.call('/v1/topics')).status).toBe(200);
      expect(
        (await user.call('/v1/topics', undefined, { headers: { authorization: '' } })).status,
      ).toBe(401);
    });

    test('the console is there, with the files that it names', async () => {
      const url = deployment.outputs['ApiUrl'] ?? '';
      const page = await fetch(`${url}/`);
      expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache']);
      const names = [...(await page.text()).matchAll(/"(\/assets\/[^"]+)"/g)].map(
        ([, name]) => name,
      );
      expect(names.length).toBeGreaterThan(2);
      for (const name of names) expect((await fetch(`${url}${name}`)).status).toBe(200);
    });

    test('a message is stored, and queried', async () => {
      await user.publish('rooms/kitchen', '{"celsius":21.5}');
      const [message] = await user.messages('rooms/kitchen', 1);
      expect(message).toMatchObject({ topic: 'rooms/kitchen', payload: { celsius: 21.5 } });
      const latest = await until(async () => {
        const { body } = await user.call('/v1/messages/latest?filter=rooms/%23');
        return body.messages.length > 0 ? body.messages : undefined;
      });
      expect(latest).toMatchObject([{ topic: 'rooms/kitchen' }]);
    });

    test('a large message is stored whole', async () => {
      const payload = Buffer.alloc(1024 * 1024, 'x').toString();
      await user.publish('rooms/hall', payload);
      const [message] = await user.messages('rooms/hall', 1);
      expect(message.payload).toBe(payload);
    });

    test('messages are kept as long as their route says', async () => {
      await user.publish('short/a', '1');
      await user.messages('short/a', 1);
      const [TableName = ''] = deployment.tables;
      const { client } = database;
      const { TimeToLiveDescription } = await client.send(
        new DescribeTimeToLiveCommand({ TableName }),
      );
      const { AttributeName: expiry = '' } = TimeToLiveDescription ?? {};
      const items: Item[] = [];
      for await (const { Items = [] } of paginateScan({ client }, { TableName }))
        items.push(...Items);
      const days = (topic: string) => {
        const item = items.find((one) => one['pk']?.S?.startsWith(`m/${topic}`));
        return (Number(item?.[expiry]?.N) - Date.now() / 1000) / 86_400;
      };
      expect(Math.round(days('short/a'))).toBe(2);
      expect(Math.round(days('rooms/kitchen'))).toBe(7);
    });

    test('a command is sent, the device answers, and the reply is in the response', async () => {
      const command = { topic: 'rooms/kitchen/cmd', payload: { fan: 'on' }, waitFor: 'reply' };
      const idempotent = { headers: { 'idempotency-key': 'fan-on-1' } };
      const { status, body } = await user.call('/v1/publish', command, idempotent);
      expect([status, body]).toMatchObject([
        200,
        { status: 'answered', reply: { payload: 'done' } },
      ]);
      expect((await user.call('/v1/publish', command, idempotent)).body.id).toBe(body.id);
      expect((await user.call(`/v1/commands/${body.id}`)).body.status).toBe('answered');
      // It would be sent all the same, when the bridge looks for itself.
      const failures = /"message":"bridge".*/.exec(functionNamed('CausewayApiFunction').output());
      expect(failures).toBeNull();
      const ofDevice = user.received.filter(({ topic }) => topic === 'rooms/kitchen/cmd');
      expect(ofDevice).toEqual([{ topic: 'rooms/kitchen/cmd', text: '{"fan":"on"}' }]);
    });

    describeOperations(() => user);

    test('the ingest function takes events of the bridge alone', async () => {
      const target = '/2015-03-31/functions/CausewayIngestFunction/invocations';
      const request = {
        method: 'POST',
        target,
        headers: { host: new URL(deployment.lambdaUrl).host, 'content-type': 'application/json' },
        body: Buffer.from('[]'),
      };
      const send = (headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          const options = { method: 'POST', headers, ca: world.ca };
          const sent = https.request(`${deployment.lambdaUrl}${target}`, options, (response) =>
            resolve(response.resume().statusCode),
          );
          sent.on('error', reject).end(request.body);
        });
      const signedBy = (role: string) =>
        signedHeaders(request, deployment.access.credentialsOf(role), {
          region: 'eu-central-1',
          service: 'lambda',
        });
      expect(await send(request.headers)).toBe(403);
      expect(await send(signedBy('CausewayApiRole'))).toBe(403);
      const changed = { ...signedBy('CausewayBridgeTaskTaskRole'), 'content-type': 'text/plain' };
      expect(await send(changed)).toBe(403);
      expect(await send(signedBy('CausewayBridgeTaskTaskRole'))).toBe(200);
    });

    test('the limits of the HTTP API stand before the function', async () => {
      const long = await user.call('/v1/topics', undefined, {
        headers: { 'x-long': 'x'.repeat(10_240) },
      });
      expect(long.status).toBe(431);
      expect((await user.call('/v1/publish', { payload: 'x'.repeat(10_500_000) })).status).toBe(
        413,
      );
    });

    test('readers of a document who come too fast are refused, and callers of the API are not', async () => {
      const url = `${deployment.outputs['ApiUrl']}/openapi.json`;
      const statuses = await Promise.all(
        Array.from({ length: 200 }, async () => (await fetch(url)).status),
      );
      expect(new Set(statuses)).toEqual(new Set([200, 429]));
      expect((await user.call('/v1/topics')).status).toBe(200);
    });

    test('a new task gets what the one before it did not acknowledge, and what came meanwhile', async () => {
      const ingest = functionNamed('CausewayIngestFunction');
      ingest.isThrottled = true;
      await user.publish('rooms/held', 'once');
      await until(() => ingest.throttles > 0);
      expect(await deployment.stopTask()).toBe(0);
      ingest.isThrottled = false;
      await user.publish('rooms/away', 'kept by the broker');
      const topics = ['rooms/a/cmd', 'rooms/b/cmd'];
      const commands = topics.map((topic) => ({ topic, payload: 'hello', timeoutSeconds: 1 }));
      const { body } = await user.call('/v1/publish/bulk', commands);
      expect(body.results).toMatchObject([{ status: 202 }, { status: 202 }]);
      await deployment.startTask();
      expect(await user.messages('rooms/away', 1)).toHaveLength(1);
      expect(await user.messages('rooms/held', 1)).toHaveLength(1);
      await until(() => topics.every((topic) => user.received.some((one) => one.topic === topic)));
    });

    describeAfterRestart(() => user);

    test('roles do what their policies allow, and need all of it', () => {
      const { calls } = deployment.access;
      // By the test above: a caller that may not call the ingest function.
      const [refused] = calls.filter(({ allowed }) => !allowed);
      expect(refused).toMatchObject({
        role: 'CausewayApiRole',
        action: 'lambda:InvokeFunction',
      });
      expect(calls.filter(({ allowed }) => !allowed)).toEqual([refused]);
      const left = unusedOf(deployment.policies, calls);
      const unexplained = left.filter((line) => !unused.some(([pattern]) => pattern.test(line)));
      expect(unexplained).toEqual([]);
      const idle = unused.filter(([pattern]) => !left.some((line) => pattern.test(line)));
      expect(idle).toEqual([]);
    });
  });
}
