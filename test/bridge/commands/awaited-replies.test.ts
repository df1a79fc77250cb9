// What awaits a reply lies in the table: another bridge goes on listening, and nobody can fill what all share.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { Shares } from '../../../bridge/commands/shares.ts';
import { awaitedPartitions } from '../../../functions/table/awaited-reply.ts';
import { command, inLedger, record } from '../../support/queue.ts';
import type { TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';
import { startFakeBroker } from '../fake-broker.ts';
import { deliver, start } from './scripted-dispatch.ts';

const asking = (parts: Parameters<typeof command>[0] = {}) =>
  command({
    awaitsReply: true,
    caller: 'c',
    properties: { responseTopic: 'r/{commandId}', correlationData: Buffer.from('x') },
    ...parts,
  });

async function awaited({ client, tableName }: TestTable): Promise<number> {
  const counts = await Promise.all(
    awaitedPartitions.map((pk) =>
      client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
          ConsistentRead: true,
        }),
      ),
    ),
  );
  return counts.reduce((sum, { Count = 0 }) => sum + Count, 0);
}

test('the next bridge takes the answer to what the last one sent, unasked', async () => {
  const broker = await startFakeBroker();
  const first = await start(broker);
  const { table } = first;
  const [question, other] = [asking(), asking({ caller: 'd' })];
  await record(table, question, other);
  expect((await deliver(first, [question.id, other.id]))[0]?.status).toBe('sent');
  await first.dispatch.close();
  broker.subscribed.length = 0;
  const second = await start(broker, {}, { table });
  await until(() => broker.subscribed.includes('r/+'));
  const correlationData = Buffer.from('x');
  broker.send(`r/${question.id}`, '21', { correlationData });
  await until(async () => (await inLedger(table, question.id)).status === 'answered');
  await until(() => second.counters.results.answered === 1);
  // What is answered is awaited by nobody.
  await until(async () => (await awaited(table)) === 1);
});

test('what is refused or expires is awaited no longer', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ ack }) => ack(0x87);
  const setup = await start(broker);
  const commands = [asking(), asking({ expiresInMs: -1000 })];
  await record(setup.table, ...commands);
  const outcomes = await deliver(
    setup,
    commands.map(({ id }) => id),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'expired']);
  await until(async () => (await awaited(setup.table)) === 0);
});

test('who asks for too much loses the oldest of their own, and is told; nobody else does', async () => {
  const broker = await startFakeBroker();
  const setup = await start(broker, {}, { broker: { profile: 'aws-iot' } });
  // A response topic of their own for each takes a subscription, of 50; one caller has half of them.
  const own = (caller: string, index: number) =>
    asking({
      topic: `t/${caller}/${index}`,
      caller,
      properties: { responseTopic: `${caller}/${index}`, correlationData: Buffer.from('x') },
    });
  const good = [own('good', 0), own('good', 1)];
  await record(setup.table, ...good);
  await deliver(
    setup,
    good.map(({ id }) => id),
  );
  const bad = Array.from({ length: 27 }, (_, index) => own('bad', index));
  await record(setup.table, ...bad);
  const outcomes = await setup.dispatch.deliver({
    commands: bad.map(({ id }) => ({ id, waitFor: 'broker' })),
    timeoutMs: 20_000,
  });
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['sent']));
  await until(() => setup.counters.repliesNotAwaited === 2);
  const states = await Promise.all(bad.map(({ id }) => inLedger(setup.table, id)));
  const lost = states.filter(({ awaitsReply }) => !awaitsReply);
  expect(lost).toHaveLength(2);
  // Who waits for such a reply is let go at once.
  const [told] = await setup.dispatch.deliver({
    commands: [{ id: lost[0]?.id ?? '', waitFor: 'reply' }],
    timeoutMs: 20_000,
  });
  expect(told).toMatchObject({ status: 'sent', awaitsReply: false });
  const correlationData = Buffer.from('x');
  for (const index of [0, 1]) broker.send(`good/${index}`, '21', { correlationData });
  for (const { id } of good)
    await until(async () => (await inLedger(setup.table, id)).status === 'answered');
  await until(async () => (await awaited(setup.table)) === 25);
});

test('shares: the one who holds the most gives up the oldest of theirs', () => {
  const shares = new Shares(10);
  for (let index = 0; index < 5; index++) shares.add(`a${index}`, 'a');
  expect(shares.excess('a')).toBeUndefined();
  shares.add('a5', 'a');
  expect(shares.excess('a')).toBe('a0');
  shares.delete('a0');
  for (let index = 0; index < 4; index++) shares.add(`b${index}`, 'b');
  shares.add('c', 'c');
  expect(shares.excess('c')).toBeUndefined();
  shares.add('d', 'd');
  expect(shares.excess('d')).toBe('a1');
  shares.delete('a1');
  expect(shares.excess('d')).toBeUndefined();
  // What is large counts more than once.
  shares.add('large', 'd', 3);
  expect(shares.excess('d')).toBe('a2');
});
