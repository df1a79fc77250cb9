// What the embedded database answers is what Amazon's own DynamoDB Local answers, call by call.
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item } from '../../../infra/database/values/attribute-values.ts';
import { everyEngine, type TestTable } from '../../support/table.ts';

const { TableName: _, ...noName } = { TableName: '' };

/** Sets have no order, and the SDK gives bytes as it likes. */
function comparable(item: Item | undefined): Item {
  const texts = { SS: [...(item?.['texts']?.SS ?? [])].sort() };
  const bytesAt = (name: string) => ({ B: new Uint8Array(item?.[name]?.B ?? []) });
  return { ...item, texts, bytes: bytesAt('bytes'), noBytes: bytesAt('noBytes') };
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

    const own = () => `partition-${partitions++}`;
    const key = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });
    const put = (Item: Item, more: Partial<PutItemCommandInput> = noName) =>
      table.client.send(new PutItemCommand({ TableName: table.tableName, Item, ...more }));
    const get = async (Key: Item) =>
      (
        await table.client.send(
          new GetItemCommand({ TableName: table.tableName, Key, ConsistentRead: true }),
        )
      ).Item;
    const update = (Key: Item, more: Partial<UpdateItemCommandInput>) =>
      table.client.send(new UpdateItemCommand({ TableName: table.tableName, Key, ...more }));
    const query = (more: Partial<QueryCommandInput>) =>
      table.client.send(new QueryCommand({ TableName: table.tableName, ...more }));
    const nameOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'done',
        (error: Error) => error.name,
      );

    describe('items', () => {
      it('come back with every type, numbers in one form', async () => {
        const Item: Item = {
          ...key(own(), 'all types'),
          text: { S: 'é 😀' },
          empty: { S: '' },
          number: { N: '1.50' },
          large: { N: '1e20' },
          small: { N: '-0.000001' },
          bytes: { B: Uint8Array.of(0, 255, 128) },
          noBytes: { B: new Uint8Array() },
          yes: { BOOL: true },
          no: { BOOL: false },
          nothing: { NULL: true },
          list: { L: [{ S: 'a' }, { N: '1' }, { L: [] }] },
          map: { M: { inner: { M: { n: { N: '1' } } }, 'a.b': { S: 'x' } } },
          texts: { SS: ['b', 'a'] },
        };
        await put(Item);
        const found = await get(key(Item['pk']?.S ?? '', 'all types'));
        expect(comparable(found)).toEqual({
          ...Item,
          number: { N: '1.5' },
          large: { N: '100000000000000000000' },
          list: { L: [{ S: 'a' }, { N: '1' }, { L: [] }] },
          map: { M: { inner: { M: { n: { N: '1' } } }, 'a.b': { S: 'x' } } },
          texts: { SS: ['a', 'b'] },
        });
      });

      it.each<[string, Item]>([
        ['no sort key', { pk: { S: 'a' } }],
        ['a key that is a number', { pk: { S: 'a' }, sk: { N: '1' } }],
        ['an empty key', { pk: { S: 'a' }, sk: { S: '' } }],
        ['a long sort key', { pk: { S: 'a' }, sk: { S: 'x'.repeat(1025) } }],
        ['a long partition key', { pk: { S: 'x'.repeat(2049) }, sk: { S: 'a' } }],
        ['more than 400 KB', { pk: { S: 'a' }, sk: { S: 'a' }, text: { S: 'x'.repeat(409_600) } }],
        ['a number that is none', { pk: { S: 'a' }, sk: { S: 'a' }, n: { N: 'x' } }],
        ['39 digits', { pk: { S: 'a' }, sk: { S: 'a' }, n: { N: '1'.repeat(39) } }],
        ['an empty set', { pk: { S: 'a' }, sk: { S: 'a' }, set: { SS: [] } }],
        ['a set with a member twice', { pk: { S: 'a' }, sk: { S: 'a' }, set: { SS: ['x', 'x'] } }],
      ])('%s is refused', async (_name, item) => {
        expect(await nameOf(put(item))).toBe('ValidationException');
      });

      it('take keys of the longest size, and an item of almost 400 KB', async () => {
        const longest = key('p'.repeat(2048), 's'.repeat(1024));
        const text = { S: 'x'.repeat(409_600 - 2048 - 1024 - 4 - 4) };
        await put({ ...longest, text });
        expect((await get(longest))?.['text']).toEqual(text);
      });
    });

    describe('conditions', () => {
      const values: Item = {
        text: { S: 'abc' },
        number: { N: '10' },
        bytes: { B: Uint8Array.of(1, 2, 3) },
        list: { L: [{ S: 'x' }, { N: '1' }] },
        texts: { SS: ['x', 'y'] },
        yes: { BOOL: true },
      };

      it.each<[string, boolean, Item?]>([
        ['attribute_exists(pk)', true],
        ['attribute_not_exists(pk)', false],
        ['attribute_not_exists(absent)', true],
        ['#number = :v', true, { ':v': { N: '10.0' } }],
        ['#number = :v', false, { ':v': { S: '10' } }],
        ['#number < :v', true, { ':v': { N: '11' } }],
        ['#number < :v', true, { ':v': { N: '100' } }],
        ['#number >= :v', false, { ':v': { N: '10.5' } }],
        ['#number BETWEEN :low AND :high', true, { ':low': { N: '9' }, ':high': { N: '10' } }],
        ['#text BETWEEN :low AND :high', false, { ':low': { S: 'abd' }, ':high': { S: 'z' } }],
        ['#text IN (:a, :b)', true, { ':a': { S: 'x' }, ':b': { S: 'abc' } }],
        ['#text IN (:a, :b)', false, { ':a': { S: 'x' }, ':b': { N: '1' } }],
        ['absent = :v', false, { ':v': { S: 'x' } }],
        ['absent <> :v', true, { ':v': { S: 'x' } }],
        ['absent < :v', false, { ':v': { S: 'x' } }],
        ['NOT absent < :v', true, { ':v': { S: 'x' } }],
        ['begins_with(#text, :v)', true, { ':v': { S: 'ab' } }],
        ['begins_with(#bytes, :v)', true, { ':v': { B: Uint8Array.of(1, 2) } }],
        ['contains(#text, :v)', true, { ':v': { S: 'bc' } }],
        ['contains(#list, :v)', true, { ':v': { N: '1' } }],
        ['contains(#texts, :v)', true, { ':v': { S: 'y' } }],
        ['contains(#texts, :v)', false, { ':v': { S: 'z' } }],
        ['attribute_type(#number, :v)', true, { ':v': { S: 'N' } }],
        ['size(#text) = :v', true, { ':v': { N: '3' } }],
        ['size(#list) > :v', true, { ':v': { N: '1' } }],
        ['size(#bytes) <= :v', true, { ':v': { N: '3' } }],
        ['#texts = :v', true, { ':v': { SS: ['y', 'x'] } }],
        ['#yes = :v', true, { ':v': { BOOL: true } }],
        [
          '#text = :a OR #text = :b AND #number = :c',
          true,
          { ':a': { S: 'abc' }, ':b': { S: 'x' }, ':c': { N: '0' } },
        ],
        [
          '(#text = :a OR #text = :b) AND #number = :c',
          false,
          { ':a': { S: 'abc' }, ':b': { S: 'x' }, ':c': { N: '0' } },
        ],
        ['NOT (#text = :a)', false, { ':a': { S: 'abc' } }],
        ['attribute_not_exists(pk) or #number <= :v', true, { ':v': { N: '10' } }],
      ])('%s is %s', async (expression, holds, ExpressionAttributeValues) => {
        const target = key(own(), 'one');
        await put({ ...target, ...values });
        const names = [...new Set(expression.match(/#\w+/g) ?? [])];
        const result = await nameOf(
          put(
            { ...target, after: { S: 'x' } },
            {
              ConditionExpression: expression,
              ...(ExpressionAttributeValues !== undefined && { ExpressionAttributeValues }),
              ...(names.length > 0 && {
                ExpressionAttributeNames: Object.fromEntries(
                  names.map((name) => [name, name.slice(1)]),
                ),
              }),
            },
          ),
        );
        expect(result).toBe(holds ? 'done' : 'ConditionalCheckFailedException');
        expect((await get(target))?.['after']).toEqual(holds ? { S: 'x' } : undefined);
      });

      it.each<[string, string, (Item | undefined)?, Record<string, string>?]>([
        ['a value that is not given', 'a = :v'],
        ['a name that is not given', '#a = :v', { ':v': { S: 'x' } }],
        ['a value that is not used', 'attribute_exists(pk)', { ':v': { S: 'x' } }],
        ['a name that is not used', 'attribute_exists(pk)', undefined, { '#a': 'a' }],
        ['no expression', 'pk'],
        ['an empty expression', ''],
        ['a function that is none', 'exists(pk)'],
        ['an open bracket', '(attribute_exists(pk)'],
        ['what stands behind it', 'attribute_exists(pk) pk'],
        ['a stray character', 'attribute_exists(pk) ; a'],
        ['a reserved word', 'attribute_exists(NAME)'],
        ['a reserved word in small letters', 'attribute_not_exists(status)'],
        ['more than 4 KB', `attribute_exists(${'a'.repeat(4096)})`],
      ])('%s is refused', async (_name, ConditionExpression, values, names) => {
        const call = put(key(own(), 'x'), {
          ConditionExpression,
          ...(values && { ExpressionAttributeValues: values }),
          ...(names && { ExpressionAttributeNames: names }),
        });
        expect(await nameOf(call)).toBe('ValidationException');
      });

      it('that fail give the item of before, where it is asked for', async () => {
        const target = key(own(), 'one');
        await put({ ...target, n: { N: '1' } });
        const failing = put(target, {
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        await expect(failing).rejects.toMatchObject({ Item: { ...target, n: { N: '1' } } });
      });

      it('let one of twenty at once win', async () => {
        const target = key(own(), 'one');
        const results = await Promise.all(
          Array.from({ length: 20 }, (_each, n) =>
            nameOf(
              put(
                { ...target, n: { N: String(n) } },
                { ConditionExpression: 'attribute_not_exists(pk)' },
              ),
            ),
          ),
        );
        expect(results.filter((result) => result === 'done')).toHaveLength(1);
      });

      it('that fail because of an item say so when it can be read', async () => {
        const target = key(own(), 'one');
        const read: (Item | undefined)[] = [];
        await Promise.all(
          Array.from({ length: 20 }, async () => {
            const result = await nameOf(
              put(target, { ConditionExpression: 'attribute_not_exists(pk)' }),
            );
            if (result !== 'done') read.push(await get(target));
          }),
        );
        expect(read).toEqual(Array(19).fill(target));
      });
    });

    describe('updates', () => {
      it('set, add, remove, and give what they are asked for', async () => {
        const target = key(own(), 'one');
        await put({ ...target, a: { N: '1' }, b: { S: 'x' }, c: { S: 'y' } });
        const { Attributes } = await update(target, {
          UpdateExpression:
            'SET a = a + :two, d = b, e = if_not_exists(e, :zero), f = :two - a REMOVE c ADD g :two',
          ExpressionAttributeValues: { ':two': { N: '2' }, ':zero': { N: '0' } },
          ReturnValues: 'ALL_NEW',
        });
        const after = {
          ...target,
          a: { N: '3' },
          b: { S: 'x' },
          d: { S: 'x' },
          e: { N: '0' },
          f: { N: '1' },
          g: { N: '2' },
        };
        expect(Attributes).toEqual(after);
        expect(await get(target)).toEqual(after);
        const { Attributes: old } = await update(target, {
          UpdateExpression: 'SET #h = :h',
          ExpressionAttributeNames: { '#h': 'a.b' },
          ExpressionAttributeValues: { ':h': { S: 'x' } },
          ReturnValues: 'ALL_OLD',
        });
        expect(old).toEqual(after);
      });

      it('append to lists, one that is missing too', async () => {
        const target = key(own(), 'one');
        const append = (entry: string) =>
          update(target, {
            UpdateExpression: 'SET history = list_append(if_not_exists(history, :none), :entry)',
            ExpressionAttributeValues: { ':none': { L: [] }, ':entry': { L: [{ S: entry }] } },
          });
        await append('a');
        await append('b');
        expect((await get(target))?.['history']).toEqual({ L: [{ S: 'a' }, { S: 'b' }] });
      });

      it('make the item where there is none', async () => {
        const target = key(own(), 'new');
        await update(target, {
          UpdateExpression: 'SET a = :a ADD n :one',
          ExpressionAttributeValues: { ':a': { S: 'x' }, ':one': { N: '1' } },
        });
        expect(await get(target)).toEqual({ ...target, a: { S: 'x' }, n: { N: '1' } });
      });

      it('count every one of many at once', async () => {
        const target = key(own(), 'count');
        await Promise.all(
          Array.from({ length: 50 }, () =>
            update(target, {
              UpdateExpression: 'ADD n :one',
              ExpressionAttributeValues: { ':one': { N: '1' } },
            }),
          ),
        );
        expect((await get(target))?.['n']).toEqual({ N: '50' });
      });

      it.each<[string, string, Item?]>([
        ['a sum with a text', 'SET a = a + :v', { ':v': { S: 'x' } }],
        ['an attribute that is missing', 'SET a = missing + :v', { ':v': { N: '1' } }],
        ['a text that is appended to', 'SET a = list_append(a, :v)', { ':v': { L: [] } }],
        ['a key', 'SET pk = :v', { ':v': { S: 'x' } }],
        ['one attribute twice', 'SET a = :v, a = :v', { ':v': { S: 'x' } }],
        ['one section twice', 'SET b = :v SET c = :v', { ':v': { S: 'x' } }],
        ['a reserved word', 'SET ttl = :v', { ':v': { S: 'x' } }],
        ['an unknown section', 'PUT b = :v', { ':v': { S: 'x' } }],
        ['no value', 'SET b ='],
      ])('of %s are refused', async (_name, UpdateExpression, values) => {
        const target = key(own(), 'one');
        await put({ ...target, a: { N: '1' } });
        const call = update(target, {
          UpdateExpression,
          ...(values && { ExpressionAttributeValues: values }),
        });
        expect(await nameOf(call)).toBe('ValidationException');
        expect(await get(target)).toEqual({ ...target, a: { N: '1' } });
      });
    });

    describe('queries', () => {
      const keys = [
        '',
        '!',
        '#',
        '-',
        '0',
        '00',
        '1',
        '10',
        '2',
        'A',
        'a',
        'a#1',
        'b',
        'é',
        '\uffff',
        '😀',
      ].filter((text) => text !== '');

      async function filled(): Promise<string> {
        const pk = own();
        for (const sk of keys) await put({ ...key(pk, sk), n: { N: String(sk.length) } });
        return pk;
      }

      it('give a partition in the order of its UTF-8 bytes, both ways', async () => {
        const pk = await filled();
        const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const all = {
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
        };
        const there = (await query(all)).Items?.map(({ sk }) => sk?.S);
        const back = (await query({ ...all, ScanIndexForward: false })).Items?.map(
          ({ sk }) => sk?.S,
        );
        expect(there).toEqual(sorted);
        expect(back).toEqual([...sorted].reverse());
      });

      it.each<[string, Item]>([
        ['sk = :a', { ':a': { S: 'a' } }],
        ['sk < :a', { ':a': { S: '1' } }],
        ['sk <= :a', { ':a': { S: '1' } }],
        ['sk > :a', { ':a': { S: 'a' } }],
        ['sk >= :a', { ':a': { S: 'a' } }],
        ['sk BETWEEN :a AND :b', { ':a': { S: '0' }, ':b': { S: 'A' } }],
        ['begins_with(sk, :a)', { ':a': { S: '1' } }],
        ['begins_with(sk, :a)', { ':a': { S: '\uffff' } }],
      ])('with %s give what lies there, page by page the same', async (range, values) => {
        const pk = await filled();
        const call = {
          KeyConditionExpression: `pk = :pk AND ${range}`,
          ExpressionAttributeValues: { ':pk': { S: pk }, ...values },
        };
        const whole = (await query(call)).Items ?? [];
        expect(whole.map(({ sk }) => sk?.S)).toEqual(expectedIn(range, values));
        for (const ScanIndexForward of [true, false]) {
          const paged: Item[] = [];
          let ExclusiveStartKey: Item | undefined;
          do {
            const page = await query({
              ...call,
              ScanIndexForward,
              Limit: 2,
              ...(ExclusiveStartKey && { ExclusiveStartKey }),
            });
            paged.push(...(page.Items ?? []));
            ExclusiveStartKey = page.LastEvaluatedKey;
          } while (ExclusiveStartKey !== undefined);
          expect(ScanIndexForward ? paged : paged.reverse()).toEqual(whole);
        }
      });

      function expectedIn(range: string, values: Item): string[] {
        const bytes = (text: string | undefined) => Buffer.from(text ?? '');
        const [a, b] = [bytes(values[':a']?.S), bytes(values[':b']?.S)];
        const order = (sk: string, other: Buffer) => Buffer.compare(bytes(sk), other);
        const isIn = {
          'sk = :a': (sk: string) => order(sk, a) === 0,
          'sk < :a': (sk: string) => order(sk, a) < 0,
          'sk <= :a': (sk: string) => order(sk, a) <= 0,
          'sk > :a': (sk: string) => order(sk, a) > 0,
          'sk >= :a': (sk: string) => order(sk, a) >= 0,
          'sk BETWEEN :a AND :b': (sk: string) => order(sk, a) >= 0 && order(sk, b) <= 0,
          'begins_with(sk, :a)': (sk: string) => bytes(sk).subarray(0, a.length).equals(a),
        }[range];
        return [...keys]
          .filter((sk) => isIn?.(sk))
          .sort((x, y) => Buffer.compare(bytes(x), bytes(y)));
      }

      it('count, filter, and choose attributes; the limit is of what is looked at', async () => {
        const pk = await filled();
        const call = {
          KeyConditionExpression: 'pk = :pk',
          FilterExpression: 'n > :one',
          ExpressionAttributeValues: { ':pk': { S: pk }, ':one': { N: '1' } },
        };
        const longer = keys.filter((sk) => sk.length > 1);
        const counted = await query({ ...call, Select: 'COUNT' });
        expect(counted).toMatchObject({ Count: longer.length, ScannedCount: keys.length });
        expect(counted.Items).toBeUndefined();
        const limited = await query({ ...call, Limit: 3 });
        expect(limited.ScannedCount).toBe(3);
        expect(limited.LastEvaluatedKey).toBeDefined();
        const chosen = await query({
          ...call,
          ProjectionExpression: '#n',
          ExpressionAttributeNames: { '#n': 'n' },
        });
        expect(chosen.Items?.map((item) => Object.keys(item))).toEqual(longer.map(() => ['n']));
      });

      it.each([true, false])(
        'say what they cost, read consistently: %s',
        async (ConsistentRead) => {
          const pk = own();
          for (const sk of ['a', 'b', 'c'])
            await put({ ...key(pk, sk), text: { S: 'x'.repeat(3000) } });
          const { ConsumedCapacity } = await query({
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: pk } },
            ConsistentRead,
            ReturnConsumedCapacity: 'TOTAL',
          });
          expect(ConsumedCapacity?.CapacityUnits).toBe(ConsistentRead ? 3 : 1.5);
        },
      );

      it('a limit that is just met says that there may be more', async () => {
        const pk = own();
        for (const sk of ['a', 'b']) await put(key(pk, sk));
        const page = await query({
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
          Limit: 2,
        });
        expect(page.LastEvaluatedKey).toEqual(key(pk, 'b'));
      });

      it('read a megabyte at a time', async () => {
        const pk = own();
        for (let n = 0; n < 6; n++)
          await put({ ...key(pk, `${n}`), text: { S: 'x'.repeat(300_000) } });
        const counts: (number | undefined)[] = [];
        let ExclusiveStartKey: Item | undefined;
        do {
          const page = await query({
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: pk } },
            ...(ExclusiveStartKey && { ExclusiveStartKey }),
          });
          counts.push(page.Count);
          ExclusiveStartKey = page.LastEvaluatedKey;
        } while (ExclusiveStartKey !== undefined);
        expect(counts).toEqual([4, 2]);
      });

      it.each<[string, string, Item]>([
        ['no partition', 'sk = :a', { ':a': { S: 'a' } }],
        ['a range of partitions', 'pk > :a', { ':a': { S: 'a' } }],
        ['another attribute', 'pk = :a AND other = :a', { ':a': { S: 'a' } }],
        ['two ranges', 'pk = :a AND sk > :a AND sk < :b', { ':a': { S: 'a' }, ':b': { S: 'b' } }],
        ['OR', 'pk = :a OR pk = :b', { ':a': { S: 'a' }, ':b': { S: 'b' } }],
        ['a key of another type', 'pk = :a', { ':a': { N: '1' } }],
      ])(
        'with %s are refused',
        async (_name, KeyConditionExpression, ExpressionAttributeValues) => {
          expect(await nameOf(query({ KeyConditionExpression, ExpressionAttributeValues }))).toBe(
            'ValidationException',
          );
        },
      );
    });

    describe('batches', () => {
      const writes = (pk: string, count: number) =>
        Array.from({ length: count }, (_each, n) => ({ PutRequest: { Item: key(pk, `${n}`) } }));
      const batchWrite = (requests: ReturnType<typeof writes>) =>
        table.client.send(
          new BatchWriteItemCommand({ RequestItems: { [table.tableName]: requests } }),
        );
      const batchGet = (Keys: Item[]) =>
        table.client.send(
          new BatchGetItemCommand({ RequestItems: { [table.tableName]: { Keys } } }),
        );

      it('put, delete and get', async () => {
        const pk = own();
        await batchWrite(writes(pk, 25));
        await table.client.send(
          new BatchWriteItemCommand({
            RequestItems: { [table.tableName]: [{ DeleteRequest: { Key: key(pk, '3') } }] },
          }),
        );
        const { Responses, UnprocessedKeys } = await batchGet(
          Array.from({ length: 30 }, (_each, n) => key(pk, `${n}`)),
        );
        expect(Responses?.[table.tableName]).toHaveLength(24);
        expect(UnprocessedKeys ?? {}).toEqual({});
      });

      it('say what they cost', async () => {
        const pk = own();
        for (const sk of ['a', 'b']) await put({ ...key(pk, sk), text: { S: 'x'.repeat(5000) } });
        const { ConsumedCapacity } = await table.client.send(
          new BatchGetItemCommand({
            RequestItems: {
              [table.tableName]: { Keys: [key(pk, 'a'), key(pk, 'b')], ConsistentRead: true },
            },
            ReturnConsumedCapacity: 'TOTAL',
          }),
        );
        expect(ConsumedCapacity?.map(({ CapacityUnits }) => CapacityUnits)).toEqual([4]);
      });

      it('refuse too many, none, and one key twice', async () => {
        const pk = own();
        expect(await nameOf(batchWrite(writes(pk, 26)))).toBe('ValidationException');
        expect(await nameOf(batchWrite([]))).toBe('ValidationException');
        const [first] = writes(pk, 1);
        expect(await nameOf(batchWrite(first ? [first, first] : []))).toBe('ValidationException');
        expect(await nameOf(batchGet([key(pk, '1'), key(pk, '1')]))).toBe('ValidationException');
        const many = Array.from({ length: 101 }, (_each, n) => key(pk, `${n}`));
        expect(await nameOf(batchGet(many))).toBe('ValidationException');
        expect(await get(key(pk, '0'))).toBeUndefined();
      });
    });

    describe('tables', () => {
      it('exist once, and are missed', async () => {
        const create = new CreateTableCommand({
          TableName: table.tableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'S' },
          ],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        });
        expect(await nameOf(table.client.send(create))).toBe('ResourceInUseException');
        const missing = new GetItemCommand({ TableName: 'no-such-table', Key: key('a', 'a') });
        expect(await nameOf(table.client.send(missing))).toBe('ResourceNotFoundException');
        const { Table } = await table.client.send(
          new DescribeTableCommand({ TableName: table.tableName }),
        );
        expect(Table?.TableStatus).toBe('ACTIVE');
      });

      it('a scan gives every item once', async () => {
        const pk = own();
        for (const sk of ['a', 'b', 'c']) await put(key(pk, sk));
        const seen: string[] = [];
        let ExclusiveStartKey: Item | undefined;
        do {
          const page = await table.client.send(
            new ScanCommand({
              TableName: table.tableName,
              Limit: 7,
              ...(ExclusiveStartKey && { ExclusiveStartKey }),
            }),
          );
          seen.push(...(page.Items ?? []).map((item) => `${item['pk']?.S} ${item['sk']?.S}`));
          ExclusiveStartKey = page.LastEvaluatedKey;
        } while (ExclusiveStartKey !== undefined);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual(expect.arrayContaining([`${pk} a`, `${pk} b`, `${pk} c`]));
      });

      it('have an attribute by which items expire', async () => {
        const { TableName } = { TableName: table.tableName };
        const described = async () =>
          (await table.client.send(new DescribeTimeToLiveCommand({ TableName })))
            .TimeToLiveDescription;
        const before = await described();
        if (before?.TimeToLiveStatus !== 'ENABLED')
          await table.client.send(
            new UpdateTimeToLiveCommand({
              TableName,
              TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
            }),
          );
        expect(await described()).toMatchObject({
          TimeToLiveStatus: 'ENABLED',
          AttributeName: 'expiresAt',
        });
      });
    });

    it('deletes under a condition, and gives what it deleted', async () => {
      const target = key(own(), 'one');
      const remove = (ConditionExpression?: string) =>
        table.client.send(
          new DeleteItemCommand({
            TableName: table.tableName,
            Key: target,
            ReturnValues: 'ALL_OLD',
            ...(ConditionExpression && { ConditionExpression }),
          }),
        );
      expect(await nameOf(remove('attribute_exists(pk)'))).toBe('ConditionalCheckFailedException');
      await put({ ...target, n: { N: '1' } });
      expect((await remove('attribute_exists(pk)')).Attributes).toEqual({
        ...target,
        n: { N: '1' },
      });
      expect((await remove()).Attributes).toBeUndefined();
    });
  });
}
