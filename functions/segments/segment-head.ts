// The head of a segment: its topics, and of each message its topic and time.
import type { Message } from '../contract/message.ts';
import { type ByteReader, ByteWriter, MalformedBytes } from './bytes.ts';
import { readFrontCoded, writeFrontCoded } from './front-coding.ts';
import { isReceiptTime, type ReceiptTime, receiptTimeOf } from './receipt-time.ts';

export interface Head {
  readonly retentionDays: number;
  readonly topics: readonly string[];
  /** Of each message, where in `topics` its topic is. */
  readonly topicOf: readonly number[];
  readonly times: readonly ReceiptTime[];
}

/** Throws a RangeError for a message that is not packable. */
export function writeHead(retentionDays: number, messages: readonly Message[]): Buffer {
  const topics = [...new Set(messages.map(({ topic }) => topic))].sort();
  const places = new Map(topics.map((topic, place) => [topic, place]));
  const times = messages.map(({ time }) => {
    const parsed = receiptTimeOf(time);
    if (parsed === undefined) throw new RangeError('the time of a message cannot be packed');
    return parsed;
  });
  const writer = new ByteWriter(64 + 16 * messages.length);
  writer.uint(retentionDays);
  writer.uint(messages.length);
  writer.uint(topics.length);
  writeFrontCoded(writer, topics);
  for (const { topic } of messages) writer.uint(places.get(topic) as number);
  let lastMs = 0;
  for (const { ms } of times) {
    writer.int(ms - lastMs);
    lastMs = ms;
  }
  for (const { us } of times) writer.uint(us);
  return writer.finish();
}

export function readHead(reader: ByteReader): Head {
  const retentionDays = reader.uint();
  const count = reader.count();
  const topics = readFrontCoded(reader, reader.count());
  const topicOf = reader.list(count, () => {
    const place = reader.uint();
    if (place >= topics.length) throw new MalformedBytes('no such topic');
    return place;
  });
  let lastMs = 0;
  const stamps = reader.list(count, () => {
    lastMs += reader.int();
    return lastMs;
  });
  const times = stamps.map((ms) => {
    const time = { ms, us: reader.uint() };
    if (!isReceiptTime(time)) throw new MalformedBytes('no time');
    return time;
  });
  reader.end();
  return { retentionDays, topics, topicOf, times };
}

/** Each topic with the number of its messages, and the first and the last time of one. */
export function topicsOf({ topics, topicOf, times }: Head) {
  const found = topics.map((topic) => ({ topic, count: 0, first: latest, last: earliest }));
  for (const [index, time] of times.entries()) {
    const entry = found[topicOf[index] as number];
    if (entry === undefined) continue;
    entry.count++;
    if (isBefore(time, entry.first)) entry.first = time;
    if (isBefore(entry.last, time)) entry.last = time;
  }
  return found;
}

const earliest: ReceiptTime = { ms: Number.NEGATIVE_INFINITY, us: 0 };
const latest: ReceiptTime = { ms: Number.POSITIVE_INFINITY, us: 0 };

function isBefore(a: ReceiptTime, b: ReceiptTime): boolean {
  return a.ms < b.ms || (a.ms === b.ms && a.us < b.us);
}
