// Benchmark of storing: write units, stored bytes and CPU of a message, both forms side by side. `--full` takes all kinds,
// numbers of topics and batches; `--check` compares the count with what DynamoDB Local says it has consumed (Java 17).
import { parseArgs } from 'node:util';
import { storageForms } from '../../functions/contract/storage-form.ts';
import { createMessagesTable, localClient } from '../../infra/local/database.ts';
import { openDatabase } from '../infra/database/engines.ts';
import { startDynamoDbLocal } from '../support/dynamodb-local.ts';
import { cpuOf } from './cpu.ts';
import { type Kind, kinds } from './traffic.ts';
import { type Counted, type Stretch, writtenBy } from './written.ts';

type Row = Omit<Stretch, 'storage' | 'seconds'>;

/** Messages a second at which a route's requests bring so many. */
const rates: Readonly<Record<number, number>> = { 1: 1, 4: 20, 25: 100, 100: 400, 500: 1000 };

const row = (kind: Kind, topics: number, batch: number): Row => ({
  kind,
  topics,
  batch,
  perSecond: rates[batch] ?? 1000,
});

const all = kinds.flatMap((kind) =>
  [100, 1000, 60_000].flatMap((topics) =>
    Object.keys(rates).map((batch) => row(kind, topics, Number(batch))),
  ),
);

const few = [
  ...Object.keys(rates).map((batch) => row('200 B JSON', 1000, Number(batch))),
  row('200 B JSON', 60_000, 500),
  row('200 B random', 1000, 25),
  row('200 B random', 60_000, 500),
  row('2 KB JSON', 1000, 100),
];

/** The registry is written once a minute, and the index merged after ten looks of half a minute. */
const secondsOf = { items: 130, packed: 340 };
/** A message's references are written once, and again at each merge: after 5 and 50 minutes, 8 hours, 3 days. */
const mergesIn30Days = 4;

async function countedBy(stretch: Stretch): Promise<Counted> {
  const { client, close } = await openDatabase();
  await createMessagesTable(client, 'messages');
  const counted = await writtenBy({ client, tableName: 'messages' }, stretch);
  await close();
  return counted;
}

async function measure(rows: readonly Row[]): Promise<void> {
  console.log(`node ${process.version}; units and bytes are those of one message\n`);
  console.log(
    'message       topics  msg/s  batch  form     units  of which  registry   index  calls/1000  bytes  CPU µs',
  );
  for (const one of rows)
    for (const storage of storageForms) {
      const counted = await countedBy({ ...one, storage, seconds: secondsOf[storage] });
      const { messages, units, tickUnits, messageBytes, calls } = counted;
      const merged = units.index - tickUnits;
      const index = (tickUnits + mergesIn30Days * merged) / messages;
      const own = (units.messages + units.marks) / messages;
      const registry = units.registry / messages;
      const cpu = await cpuOf({ ...one, storage });
      console.log(
        [
          one.kind.padEnd(12),
          String(one.topics).padStart(7),
          String(one.perSecond).padStart(6),
          String(one.batch).padStart(6),
          ` ${storage.padEnd(7)}`,
          (own + registry + index).toFixed(3),
          own.toFixed(3).padStart(9),
          registry.toFixed(3).padStart(9),
          index.toFixed(3).padStart(7),
          ((1000 * calls) / messages).toFixed(1).padStart(11),
          (messageBytes / messages).toFixed(0).padStart(6),
          cpu.toFixed(1).padStart(7),
        ].join(' '),
      );
    }
}

/** The same traffic into DynamoDB Local, whose own count of units has to be ours. */
async function check(): Promise<void> {
  const local = await startDynamoDbLocal();
  for (const storage of storageForms) {
    const client = localClient(local.endpoint);
    const tableName = `messages-${storage}`;
    await createMessagesTable(client, tableName);
    const stretch = { ...row('200 B JSON', 1000, 100), storage, seconds: 35 };
    const { units, told } = await writtenBy({ client, tableName }, stretch, true);
    const own = Object.values(units).reduce((sum, count) => sum + count);
    console.log(`${storage}: ${own} write units counted, ${told} consumed in DynamoDB Local`);
    client.destroy();
  }
  await local.close();
}

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
if (values.check) await check();
else await measure(values.full ? all : few);
