// Whether somebody watches what is stored: only then is it noted. Readers say so in one item of the table, and ingest
// looks at it.
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { getBatch } from '../table/batch-get.ts';
import { answerIfHeld } from '../table/conditional-write.ts';
import type { Item } from '../table/item.ts';
import type { ItemSource } from '../table/partition.ts';

/** So long after the last reader all is noted still, in milliseconds: a reader that comes back in time misses nothing. */
export const watchKeptMs = 3_600_000;
/** A watch is renewed when so much of it is over. */
const renewAfterMs = 60_000;
/** A writer looks so often whether somebody watches, where each look is paid for: half a cent a day and instance. */
export const watchCheckMs = 1000;
/** A writer sees a new watch within its time between two looks; this is for the way there and the clocks. */
export const watchMarginMs = 500;

const watchKey = { pk: { S: 'feed' }, sk: { S: 'watch' } };

export interface Watch {
  /** Since when somebody watches, without a break; milliseconds since 1970. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** The watch as it stands; undefined where nobody ever watched. */
export async function readWatch(source: ItemSource): Promise<Watch | undefined> {
  const [item] = await getBatch(source, [watchKey]);
  return item && watchOf(item);
}

function watchOf(item: Item): Watch {
  return { sinceMs: Number(item['sinceMs']?.N), untilMs: Number(item['untilMs']?.N) };
}

/** Says for one process that somebody watches: a write a minute at most, however many readers it has. */
export class Watching {
  readonly #source: { readonly client: DynamoDBClient; readonly tableName: string };
  readonly #now: () => number;
  #watch: Watch | undefined;
  #renewing: Promise<Watch> | undefined;

  constructor(source: ItemSource, now: () => number) {
    this.#source = source;
    this.#now = now;
  }

  /** To be called while there are readers. Resolves with the watch that they have. */
  async renew(): Promise<Watch> {
    const leftMs = (this.#watch?.untilMs ?? 0) - this.#now();
    if (this.#watch !== undefined && leftMs > watchKeptMs - renewAfterMs) return this.#watch;
    this.#renewing ??= this.#write().finally(() => {
      this.#renewing = undefined;
    });
    this.#watch = await this.#renewing;
    return this.#watch;
  }

  async #write(): Promise<Watch> {
    const nowMs = this.#now();
    const values = { ':now': { N: String(nowMs) }, ':until': { N: String(nowMs + watchKeptMs) } };
    const update = {
      TableName: this.#source.tableName,
      Key: watchKey,
      ExpressionAttributeValues: values,
    };
    const renewed = await answerIfHeld(
      this.#source.client.send(
        new UpdateItemCommand({
          ...update,
          UpdateExpression: 'SET untilMs = :until',
          ConditionExpression: 'untilMs > :now',
          ReturnValues: 'ALL_NEW',
        }),
      ),
    );
    if (renewed !== undefined) return watchOf(renewed.Attributes ?? {});
    // It is over, or there was none: another one begins. Of two at once, the later one's begin holds.
    await this.#source.client.send(
      new UpdateItemCommand({
        ...update,
        UpdateExpression: 'SET sinceMs = :now, untilMs = :until',
      }),
    );
    return { sinceMs: nowMs, untilMs: nowMs + watchKeptMs };
  }
}
