// The embedded database: what the project uses of DynamoDB, in this process, on one folder. No network, and no second
// process at the folder.
import type { Logger } from 'pino';
import { LevelStore, StoreUnavailable } from '../level/level-store.ts';
import { Items } from './items.ts';
import { Reads } from './reads.ts';
import { Sweep } from './sweep.ts';
import { Tables } from './tables.ts';
import { refusal, unavailable } from './values/errors.ts';
import { Writes } from './writes.ts';

export interface DatabaseOptions {
  /** Its own folder; made where it is missing. */
  readonly folder: string;
  /** Writes are finished when the disk says so, and so survive a power cut (fsync); default false. */
  readonly syncWrites?: boolean;
  /** How often what has expired is looked for, in milliseconds; default a minute. */
  readonly sweepEveryMs?: number;
  readonly log?: Logger | undefined;
  readonly now?: () => number;
}

/** A call of DynamoDB by its name, such as `PutItem`, and what the SDK's command for it takes. */
export type Call = (name: string, input: object) => Promise<object>;

const minuteMs = 60_000;
/** Calls that are begun in one turn of the event loop. */
const maxCallsATurn = 200;

export class Database {
  readonly #store: LevelStore<Buffer>;
  readonly #sweep: Sweep;
  readonly #operations: ReadonlyMap<string, Operation>;
  #callsThisTurn = 0;

  private constructor(store: LevelStore<Buffer>, tables: Tables, options: DatabaseOptions) {
    this.#store = store;
    const items = new Items(store);
    this.#operations = operationsOf(
      tables,
      new Writes(tables, items),
      new Reads(store, tables, items),
    );
    this.#sweep = new Sweep({
      store,
      tables,
      items,
      now: options.now ?? Date.now,
      everyMs: options.sweepEveryMs ?? minuteMs,
      log: options.log,
    });
  }

  /** Rejects where another process has the folder (LEVEL_LOCKED), or it cannot be used. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { folder, syncWrites = false, log } = options;
    const store = await LevelStore.openBytes(folder, {
      sync: syncWrites,
      onTrouble: (reason) =>
        reason === undefined
          ? log?.warn('the database can be written again')
          : log?.error({ reason }, 'the database cannot be written: it is tried again'),
    });
    return new Database(store, await Tables.read(store), options);
  }

  /** Why nothing can be stored at the moment, such as a full disk; undefined where all is well. */
  get trouble(): string | undefined {
    return this.#store.trouble;
  }

  /**
   * Carries out a call as DynamoDB would. Rejects with DynamoDB's errors; with an InternalServerError where the disk
   * does not take it; and with a ValidationException for what DynamoDB has and this has not.
   */
  async call(name: string, input: object): Promise<object> {
    const operation = this.#operations.get(name);
    if (operation === undefined) throw refusal(`${name} is not supported by the embedded table`);
    for (const field in input) {
      if (!operation.fields.has(field) && (input as Record<string, unknown>)[field] !== undefined)
        throw refusal(`${name}: ${field} is not supported by the embedded table`);
    }
    await this.#turn();
    try {
      return await operation.run(input);
    } catch (error) {
      throw error instanceof StoreUnavailable ? unavailable(error.message) : error;
    }
  }

  /** Calls that are answered from memory would keep the event loop for themselves: a loop of them is to let others in. */
  async #turn(): Promise<void> {
    if (this.#callsThisTurn++ === 0)
      setImmediate(() => {
        this.#callsThisTurn = 0;
      });
    if (this.#callsThisTurn > maxCallsATurn) await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    await this.#sweep.stop();
    await this.#store.close();
  }
}

interface Operation {
  /** What a call may have; ConsistentRead is always so here. */
  readonly fields: ReadonlySet<string>;
  readonly run: (input: object) => Promise<object> | object;
}

const expressionFields = ['ExpressionAttributeNames', 'ExpressionAttributeValues'];
const writeFields = [
  'TableName',
  'ConditionExpression',
  'ReturnValues',
  'ReturnValuesOnConditionCheckFailure',
  ...expressionFields,
];
const pageFields = [
  'TableName',
  'FilterExpression',
  'ProjectionExpression',
  'ExclusiveStartKey',
  'Limit',
  'Select',
  'ConsistentRead',
  'ReturnConsumedCapacity',
  ...expressionFields,
];

function operationsOf(
  tables: Tables,
  writes: Writes,
  reads: Reads,
): ReadonlyMap<string, Operation> {
  const operation = <Input extends object>(
    fields: readonly string[],
    run: (input: Input) => Promise<object> | object,
  ): Operation => ({ fields: new Set(fields), run: (input) => run(input as Input) });
  return new Map<string, Operation>([
    ['PutItem', operation(['Item', ...writeFields], writes.put.bind(writes))],
    [
      'UpdateItem',
      operation(['Key', 'UpdateExpression', ...writeFields], writes.update.bind(writes)),
    ],
    ['DeleteItem', operation(['Key', ...writeFields], writes.delete.bind(writes))],
    ['BatchWriteItem', operation(['RequestItems'], writes.batchWrite.bind(writes))],
    [
      'GetItem',
      operation(
        [
          'TableName',
          'Key',
          'ProjectionExpression',
          'ConsistentRead',
          'ReturnConsumedCapacity',
          'ExpressionAttributeNames',
        ],
        reads.get.bind(reads),
      ),
    ],
    [
      'BatchGetItem',
      operation(['RequestItems', 'ReturnConsumedCapacity'], reads.batchGet.bind(reads)),
    ],
    [
      'Query',
      operation(
        ['KeyConditionExpression', 'ScanIndexForward', ...pageFields],
        reads.query.bind(reads),
      ),
    ],
    ['Scan', operation(pageFields, reads.scan.bind(reads))],
    [
      'CreateTable',
      operation<Parameters<Tables['create']>[0]>(
        [
          'TableName',
          'KeySchema',
          'AttributeDefinitions',
          'BillingMode',
          'GlobalSecondaryIndexes',
          'LocalSecondaryIndexes',
        ],
        async (call) => ({ TableDescription: await tables.create(call) }),
      ),
    ],
    [
      'DescribeTable',
      operation<{ TableName?: string }>(['TableName'], ({ TableName }) => ({
        Table: tables.describe(TableName),
      })),
    ],
    [
      'DeleteTable',
      operation<{ TableName?: string }>(['TableName'], async ({ TableName }) => ({
        TableDescription: await tables.delete(TableName),
      })),
    ],
    [
      'UpdateTimeToLive',
      operation(['TableName', 'TimeToLiveSpecification'], tables.expireBy.bind(tables)),
    ],
    [
      'DescribeTimeToLive',
      operation<{ TableName?: string }>(['TableName'], ({ TableName }) =>
        tables.expiryOf(TableName),
      ),
    ],
  ]);
}
