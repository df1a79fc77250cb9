// Random sequences of calls leave what a plain map would have, and answer what it would, in each database.
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item } from '../../../infra/database/values/attribute-values.ts';
import * as fc from '../../support/property.ts';
import { everyEngine, type TestTable } from '../../support/table.ts';

const sortKey = fc.constantFrom('\0', '#', '0', '1', '10', '2', 'A', 'a', 'a#', 'aa', 'é', '😀');
const number = fc.integer({ min: -20, max: 20 });

const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), sk: sortKey, n: number, isNew: fc.boolean() }),
  fc.record({ kind: fc.constant('add' as const), sk: sortKey, by: number }),
  fc.record({ kind: fc.constant('append' as const), sk: sortKey, entry: fc.string() }),
  fc.record({ kind: fc.constant('setBelow' as const), sk: sortKey, limit: number, to: number }),
  fc.record({ kind: fc.constant('remove' as const), sk: sortKey }),
  fc.record({ kind: fc.constant('delete' as const), sk: sortKey, ifN: fc.option(number) }),
  fc.record({
    kind: fc.constant('batch' as const),
    puts: fc.dictionary(sortKey, number, { maxKeys: 5 }),
    deletes: fc.uniqueArray(sortKey, { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant('query' as const),
    ends: fc.tuple(sortKey, sortKey),
    least: number,
    limit: fc.integer({ min: 1, max: 4 }),
    forward: fc.boolean(),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const bytewise = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const failed = 'ConditionalCheckFailedException';

/** One partition, as a map by sort key; what a call answers, by the rules that DynamoDB's documentation gives. */
class Model {
  readonly items = new Map<string, Item>();
  readonly #pk: string;

  constructor(pk: string) {
    this.#pk = pk;
  }

  keyOf(sk: string): Item {
    return { pk: { S: this.#pk }, sk: { S: sk } };
  }

  #numberOf(sk: string): number | undefined {
    const text = this.items.get(sk)?.['n']?.N;
    return text === undefined ? undefined : Number(text);
  }

  #merge(sk: string, attributes: Item): Item {
    const item = { ...this.keyOf(sk), ...this.items.get(sk), ...attributes };
    this.items.set(sk, item);
    return item;
  }

  answer(asked: Step): unknown {
    switch (asked.kind) {
      case 'put':
        if (asked.isNew && this.items.has(asked.sk)) return failed;
        this.items.set(asked.sk, { ...this.keyOf(asked.sk), n: { N: String(asked.n) } });
        return undefined;
      case 'add':
        return this.#merge(asked.sk, {
          n: { N: String((this.#numberOf(asked.sk) ?? 0) + asked.by) },
        });
      case 'append': {
        const before = this.items.get(asked.sk)?.['entries']?.L ?? [];
        return this.#merge(asked.sk, { entries: { L: [...before, { S: asked.entry }] } });
      }
      case 'setBelow': {
        const before = this.#numberOf(asked.sk);
        if (before !== undefined && before >= asked.limit) return failed;
        return this.#merge(asked.sk, { n: { N: String(asked.to) } });
      }
      case 'remove': {
        const { n: _, ...rest } = this.#merge(asked.sk, {});
        this.items.set(asked.sk, rest);
        return rest;
      }
      case 'delete': {
        if (asked.ifN !== null && this.#numberOf(asked.sk) !== asked.ifN) return failed;
        const before = this.items.get(asked.sk);
        this.items.delete(asked.sk);
        return before;
      }
      case 'batch':
        for (const [sk, n] of Object.entries(asked.puts))
          this.items.set(sk, { ...this.keyOf(sk), n: { N: String(n) } });
        for (const sk of asked.deletes) if (!(sk in asked.puts)) this.items.delete(sk);
        return undefined;
      default: {
        const [low, high] = [...asked.ends].sort(bytewise);
        const found = [...this.items]
          .filter(([sk]) => bytewise(sk, low ?? '') >= 0 && bytewise(sk, high ?? '') <= 0)
          .sort(([a], [b]) => bytewise(a, b))
          .filter(([sk]) => (this.#numberOf(sk) ?? Number.NEGATIVE_INFINITY) >= asked.least)
          .map(([, item]) => item);
        return asked.forward ? found : found.reverse();
      }
    }
  }
}

async function answerOf(
  { client, tableName }: TestTable,
  { keyOf }: Pick<Model, 'keyOf'>,
  asked: Step,
) {
  const update = async (sk: string, call: object) =>
    (
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(sk),
          ReturnValues: 'ALL_NEW',
          ...call,
        }),
      )
    ).Attributes;
  switch (asked.kind) {
    case 'put':
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: { ...keyOf(asked.sk), n: { N: String(asked.n) } },
          ...(asked.isNew && { ConditionExpression: 'attribute_not_exists(pk)' }),
        }),
      );
      return undefined;
    case 'add':
      return update(asked.sk, {
        UpdateExpression: 'ADD n :by',
        ExpressionAttributeValues: { ':by': { N: String(asked.by) } },
      });
    case 'append':
      return update(asked.sk, {
        UpdateExpression: 'SET entries = list_append(if_not_exists(entries, :none), :entry)',
        ExpressionAttributeValues: { ':none': { L: [] }, ':entry': { L: [{ S: asked.entry }] } },
      });
    case 'setBelow':
      return update(asked.sk, {
        UpdateExpression: 'SET n = :to',
        ConditionExpression: 'attribute_not_exists(n) OR n < :limit',
        ExpressionAttributeValues: {
          ':to': { N: String(asked.to) },
          ':limit': { N: String(asked.limit) },
        },
      });
    case 'remove':
      return update(asked.sk, { UpdateExpression: 'REMOVE n' });
    case 'delete':
      return (
        await client.send(
          new DeleteItemCommand({
            TableName: tableName,
            Key: keyOf(asked.sk),
            ReturnValues: 'ALL_OLD',
            ...(asked.ifN !== null && {
              ConditionExpression: 'n = :n',
              ExpressionAttributeValues: { ':n': { N: String(asked.ifN) } },
            }),
          }),
        )
      ).Attributes;
    case 'batch': {
      const requests = [
        ...Object.entries(asked.puts).map(([sk, n]) => ({
          PutRequest: { Item: { ...keyOf(sk), n: { N: String(n) } } },
        })),
        ...asked.deletes
          .filter((sk) => !(sk in asked.puts))
          .map((sk) => ({ DeleteRequest: { Key: keyOf(sk) } })),
      ];
      if (requests.length > 0)
        await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } }));
      return undefined;
    }
    default:
      return queried(client, tableName, keyOf, asked);
  }
}

async function queried(
  client: TestTable['client'],
  TableName: string,
  keyOf: Model['keyOf'],
  { ends, least, limit, forward }: Extract<Step, { kind: 'query' }>,
): Promise<Item[]> {
  const [low = '', high = ''] = [...ends].sort(bytewise);
  const items: Item[] = [];
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :low AND :high',
        FilterExpression: 'n >= :least',
        ExpressionAttributeValues: {
          ':pk': keyOf('')['pk'] ?? { S: '' },
          ':low': { S: low },
          ':high': { S: high },
          ':least': { N: String(least) },
        },
        ScanIndexForward: forward,
        Limit: limit,
        ConsistentRead: true,
        ...(ExclusiveStartKey && { ExclusiveStartKey }),
      }),
    );
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return items;
}

for (const engine of everyEngine) {
  describe.skipIf(!engine.available)(engine.name, () => {
    let table: TestTable;
    let partitions = 0;

    // Java takes its time to start where the machine is busy.
    beforeAll(async () => {
      table = await engine.start();
    }, 180_000);
    afterAll(() => table?.close());

    it('answers and keeps what a map would', { timeout: 180_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const model = new Model(`partition-${partitions++}`);
          const keyOf = model.keyOf.bind(model);
          for (const asked of steps) {
            const answer = await answerOf(table, { keyOf }, asked).catch(({ name }) => name);
            expect({ asked, answer }).toEqual({ asked, answer: model.answer(asked) });
          }
          for (const [sk, item] of model.items) {
            const { Item } = await table.client.send(
              new GetItemCommand({
                TableName: table.tableName,
                Key: keyOf(sk),
                ConsistentRead: true,
              }),
            );
            expect(Item).toEqual(item);
          }
        }),
        { numRuns: 30 },
      );
    });
  });
}
