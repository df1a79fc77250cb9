// What of a source was written to the log of segments last: one reading answers for all topics that a look-back asks for.
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Message } from '../../contract/message.ts';
import { mapInParallel } from '../../contract/parallel.ts';
import { unpackedBytes } from '../../segments/packable.ts';
import { decodeSegment } from '../../segments/segment-codec.ts';
import { bucketOf, hourOf, positionKey } from '../../segments/segment-key.ts';
import {
  type LogHour,
  readBucket,
  readLogHours,
  type StampRange,
} from '../../segments/stored-segments.ts';
import type { ItemSource } from '../../table/partition.ts';
import { positionMs } from './log-marks.ts';

/** Behind a source's position its newest segment can be by that, and by how clocks differ. */
const aheadMs = 2 * positionMs;
/** The log is read back in steps of so long. */
const stepMs = 30_000;
/** A message that waited for its PUBACK for longer is not found; the bridge's retries are seldom that far apart. */
const maxBackMs = 15 * 60_000;

export interface LogLookBackOptions {
  /** Partitions read side by side. */
  readonly concurrency: number;
  /** Reading ends once so many messages of the source have been met. */
  readonly maxMessages: number;
  /** Bytes of messages that are held: what is more is let go, the oldest first. */
  readonly maxBytes: number;
}

/** The messages of a source in those topics that were written last, in no order; those before them are not looked at. */
export async function lastPacked(
  table: ItemSource,
  source: string,
  topics: ReadonlySet<string>,
  { concurrency, maxMessages, maxBytes }: LogLookBackOptions,
): Promise<Message[]> {
  const position = await positionOf(table, source);
  if (position === undefined) return [];
  const found = new Newest(maxBytes);
  let met = 0;
  const newestMs = position + aheadMs;
  const hours = await readLogHours(table, hourOf(newestMs - maxBackMs), { consistent: true });
  for (let untilMs = newestMs; untilMs > newestMs - maxBackMs; untilMs -= stepMs) {
    const range = { afterMs: untilMs - stepMs, untilMs };
    const buckets = bucketsIn(hours, range, topics);
    await mapInParallel(buckets, concurrency, async ({ level, bucket }) => {
      for await (const { bytes } of readBucket(table, level, bucket, range, { consistent: true })) {
        const decoded = decodeSegment(bytes);
        if (!decoded.ok) continue;
        for (const message of decoded.value.messages) {
          if (message.source !== source) continue;
          met++;
          if (topics.has(message.topic)) found.add(message);
        }
      }
    });
    if (met >= maxMessages) break;
  }
  return found.messages;
}

/** The newest of the messages that are added, as many as `maxBytes` hold: half of that at least. */
class Newest {
  messages: Message[] = [];
  #bytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(message: Message): void {
    // A view of the segment would hold its other messages, too.
    this.messages.push({ ...message, payload: Buffer.from(message.payload) });
    this.#bytes += unpackedBytes(message);
    if (this.#bytes <= this.#maxBytes) return;
    this.messages.sort((a, b) => (a.time < b.time ? 1 : -1));
    this.#bytes = 0;
    const end = this.messages.findIndex((one) => {
      this.#bytes += unpackedBytes(one);
      return this.#bytes > this.#maxBytes / 2;
    });
    this.messages.length = end + 1;
  }
}

/** Stamp of a segment with messages of the source, up to {@link positionMs} before its newest; undefined where it has none. */
async function positionOf(
  { client, tableName }: ItemSource,
  source: string,
): Promise<number | undefined> {
  const { Item } = await client.send(
    new GetItemCommand({ TableName: tableName, Key: positionKey(source), ConsistentRead: true }),
  );
  const stampMs = Item?.['stampMs']?.N;
  return stampMs === undefined ? undefined : Number(stampMs);
}

/** The buckets of the topics, at each level that segments of that time can have. */
function bucketsIn(
  hours: readonly LogHour[],
  { afterMs, untilMs }: StampRange,
  topics: ReadonlySet<string>,
): { level: number; bucket: number }[] {
  const levels = new Set(
    hours
      .filter(({ hour }) => hour >= hourOf(afterMs) && hour <= hourOf(untilMs))
      .map(({ level }) => level),
  );
  return [...levels].flatMap((level) => {
    const buckets = new Set(Array.from(topics, (topic) => bucketOf(topic, level)));
    return Array.from(buckets, (bucket) => ({ level, bucket }));
  });
}
