// Which tables the database has: each one's keys, and the attribute by which its items expire.
import type {
  CreateTableCommandInput,
  TableDescription,
  UpdateTimeToLiveCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { LevelStore } from '../level/level-store.ts';
import { allTables, expiriesOf, itemsOf, tableEntryKey, tableNameOf } from './keys.ts';
import { refusal, tableExists, tableMissing } from './values/errors.ts';
import type { KeySchema } from './values/key-schema.ts';

export interface Table extends KeySchema {
  readonly name: string;
  /** The attribute with the second since 1970 at which an item may be deleted; undefined where none expires. */
  readonly expiryAttribute?: string | undefined;
}

const tableNamePattern = /^[A-Za-z0-9_.-]{3,255}$/;
const deletedAtOnce = 1000;

export class Tables {
  readonly #store: LevelStore<Buffer>;
  readonly #tables = new Map<string, Table>();

  private constructor(store: LevelStore<Buffer>) {
    this.#store = store;
  }

  static async read(store: LevelStore<Buffer>): Promise<Tables> {
    const tables = new Tables(store);
    for await (const [key, value] of store.entries(allTables())) {
      const name = tableNameOf(key);
      tables.#tables.set(name, { ...(JSON.parse(value.toString()) as KeySchema), name });
    }
    return tables;
  }

  /** Throws a ResourceNotFoundException where there is none of that name. */
  get(name: string | undefined): Table {
    const table = this.#tables.get(name ?? '');
    if (table === undefined) throw tableMissing(name ?? '');
    return table;
  }

  all(): Iterable<Table> {
    return this.#tables.values();
  }

  async create(call: CreateTableCommandInput): Promise<TableDescription> {
    const name = call.TableName ?? '';
    if (!tableNamePattern.test(name))
      throw refusal('TableName must be 3 to 255 letters, digits, and _ . -');
    if (this.#tables.has(name)) throw tableExists(name);
    const table = { name, ...keysOf(call) };
    await this.#keep(table);
    return describe(table);
  }

  describe(name: string | undefined): TableDescription {
    return describe(this.get(name));
  }

  /** Deletes the table with all its items. */
  async delete(name: string | undefined): Promise<TableDescription> {
    const table = this.get(name);
    this.#tables.delete(table.name);
    await this.#store.write({ type: 'del', key: tableEntryKey(table.name) });
    for (const span of [itemsOf(table.name), expiriesOf(table.name)]) {
      for await (const page of this.#store.pages(span, deletedAtOnce))
        await this.#store.write(...page.map(([key]) => ({ type: 'del' as const, key })));
    }
    return describe(table);
  }

  async expireBy({ TableName, TimeToLiveSpecification: given }: UpdateTimeToLiveCommandInput) {
    const table = this.get(TableName);
    if (given?.AttributeName === undefined || given.Enabled === undefined)
      throw refusal('TimeToLiveSpecification needs AttributeName and Enabled');
    if (given.Enabled === (table.expiryAttribute !== undefined))
      throw refusal(`TimeToLive is already ${given.Enabled ? 'enabled' : 'disabled'}`);
    await this.#keep({
      ...table,
      expiryAttribute: given.Enabled ? given.AttributeName : undefined,
    });
    return { TimeToLiveSpecification: given };
  }

  expiryOf(name: string | undefined) {
    const { expiryAttribute } = this.get(name);
    return {
      TimeToLiveDescription: {
        TimeToLiveStatus:
          expiryAttribute === undefined ? ('DISABLED' as const) : ('ENABLED' as const),
        ...(expiryAttribute !== undefined && { AttributeName: expiryAttribute }),
      },
    };
  }

  async #keep(table: Table): Promise<void> {
    const { name, ...kept } = table;
    this.#tables.set(name, table);
    const value = Buffer.from(JSON.stringify(kept));
    await this.#store.write({ type: 'put', key: tableEntryKey(name), value });
  }
}

/** The two keys. Throws where it is a table of another kind: with one key, keys that are no texts, or indexes. */
function keysOf(call: CreateTableCommandInput): KeySchema {
  const { KeySchema = [], AttributeDefinitions = [] } = call;
  const named = (type: 'HASH' | 'RANGE') =>
    KeySchema.find(({ KeyType }) => KeyType === type)?.AttributeName;
  const [partitionKey, sortKey] = [named('HASH'), named('RANGE')];
  const areTexts = AttributeDefinitions.every(({ AttributeType }) => AttributeType === 'S');
  const hasIndexes =
    call.GlobalSecondaryIndexes !== undefined || call.LocalSecondaryIndexes !== undefined;
  if (partitionKey === undefined || sortKey === undefined || !areTexts || hasIndexes)
    throw refusal(
      'the embedded table needs a partition key and a sort key, both of type S, and has no indexes',
    );
  return { partitionKey, sortKey };
}

function describe({ name, partitionKey, sortKey }: Table): TableDescription {
  return {
    TableName: name,
    TableStatus: 'ACTIVE',
    KeySchema: [
      { AttributeName: partitionKey, KeyType: 'HASH' },
      { AttributeName: sortKey, KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: partitionKey, AttributeType: 'S' },
      { AttributeName: sortKey, AttributeType: 'S' },
    ],
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
  };
}
