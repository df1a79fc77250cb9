// The registry of topics as one instance of ingest keeps it: counts messages, and writes each topic once a minute.
import { createHash } from 'node:crypto';
import {
  type DynamoDBClient,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { LRUCache } from 'lru-cache';
import type { Message } from '../../contract/message.ts';
import { mapInParallel } from '../../contract/parallel.ts';
import { hasCommandId } from '../../table/command-id.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import { knownTopicKey } from '../../table/known-topic.ts';

export interface RegistryOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Writes in flight at once. */
  readonly concurrency: number;
  readonly now: () => number;
}

/**
 * Counts messages that have been stored, and writes the topics that are due: a new one at once and, if it has more,
 * three seconds later, then each at most once in a minute that begins at a second of its own. Never rejects: a write
 * that fails leaves its count to the next one.
 *
 * The counts are rough. A message that is stored again counts again, as does a write whose answer is lost; an
 * instance that ends takes up to a minute's counts with it, or two of a new topic's. `lastSeen` goes back only where
 * two instances write the same topic, and then by a minute at most: to prevent that, writes would have to be
 * conditional on it, and those refused be sent again for their counts.
 */
export type CountTopics = (messages: readonly Message[], retentionDays: number) => Promise<void>;

/** What has been counted for a topic since its last write. */
interface Tally {
  readonly topic: string;
  /** When in each minute the topic becomes due. */
  readonly phaseMs: number;
  messages: number;
  lastSeen: string;
  /** Of the last message that had one. */
  receivedAfter: string | undefined;
  /** The longest that it was stored with: the entry may not expire before a message. */
  retentionDays: number;
  dueMs: number;
  writes: number;
}

const minuteMs = 60_000;
const daySeconds = 86_400;
/** After its first write a new topic is written again so soon, if more has come. */
const secondWriteMs = 3000;
/** How often all topics are looked at, so that those that have fallen silent are written too. */
const sweepMs = 1000;
/** Topics that are remembered; the one that has been silent longest is forgotten first. */
const maxTopics = 50_000;
const maxTopicCharacters = 32 * 1024 * 1024;
/** Time that the writes of one batch may take: its answer waits for them, as Lambda stops afterwards. */
const writeBudgetMs = 2000;

export function createRegistry(options: RegistryOptions): CountTopics {
  const { client, tableName, concurrency, now } = options;
  const tallies = new LRUCache<string, Tally>({
    max: maxTopics,
    maxSize: maxTopicCharacters,
    sizeCalculation: ({ topic }) => topic.length,
  });
  let sweptMs = 0;

  function count(messages: readonly Message[], retentionDays: number): Set<Tally> {
    const counted = new Set<Tally>();
    for (const { topic, time, receivedAfter } of messages) {
      // A command or its reply: the topic is used once, and would push those of devices out of every list.
      if (hasCommandId(topic)) continue;
      let tally = tallies.get(topic);
      if (tally === undefined) {
        const phaseMs = createHash('sha256').update(topic).digest().readUInt32BE(0) % minuteMs;
        tally = {
          topic,
          phaseMs,
          messages: 0,
          lastSeen: time,
          receivedAfter,
          retentionDays,
          dueMs: 0,
          writes: 0,
        };
        tallies.set(topic, tally);
      }
      tally.messages++;
      if (receivedAfter !== undefined && receivedAfter !== tally.receivedAfter) {
        // Readers have to know at once: from here on the greatest time is not the newest message.
        tally.receivedAfter = receivedAfter;
        tally.lastSeen = time;
        tally.dueMs = 0;
      }
      if (time > tally.lastSeen) tally.lastSeen = time;
      if (retentionDays > tally.retentionDays) tally.retentionDays = retentionDays;
      counted.add(tally);
    }
    return counted;
  }

  async function write(tally: Tally, abortSignal: AbortSignal): Promise<void> {
    const update = updateOf(tally, tableName);
    const { messages, dueMs } = tally;
    // Before the write, so that a batch beside this one does not write the same.
    tally.messages = 0;
    // A new topic is counted once more soon: until then it looks as if it had one message. From then on it skips the
    // end of the minute that it is in: twice in a minute would be once too often.
    const nowMs = now();
    if (tally.writes === 0) tally.dueMs = nowMs + secondWriteMs;
    else tally.dueMs = endOfMinute(tally.writes === 1 ? nowMs + minuteMs : nowMs, tally.phaseMs);
    tally.writes++;
    try {
      const lasting = client.send(new UpdateItemCommand(update.lasting), { abortSignal });
      if (!(await conditionHeld(lasting)))
        await client.send(new UpdateItemCommand(update.counting), { abortSignal });
    } catch {
      tally.messages += messages;
      if (dueMs === 0 && tally.receivedAfter !== undefined) tally.dueMs = 0;
    }
  }

  return async (messages, retentionDays) => {
    const counted = count(messages, retentionDays);
    const nowMs = now();
    const isSweep = nowMs - sweptMs >= sweepMs;
    if (isSweep) sweptMs = nowMs;
    const due = [...(isSweep ? tallies.values() : counted)].filter(
      (tally) => tally.messages > 0 && tally.dueMs <= nowMs,
    );
    if (due.length === 0) return;
    const abortSignal = AbortSignal.timeout(writeBudgetMs);
    await mapInParallel(due, concurrency, (tally) => write(tally, abortSignal));
  };
}

/**
 * The write of a topic, `lasting` as long as its newest message, and the one to send where that is refused: another
 * instance has stored messages of the topic that outlive these, so that its entry may only be counted up.
 */
function updateOf(tally: Tally, tableName: string) {
  const { topic, messages, lastSeen, receivedAfter, retentionDays } = tally;
  const expiresAtSeconds = Math.floor(Date.parse(lastSeen) / 1000) + retentionDays * daySeconds;
  const Key = knownTopicKey(topic);
  const values = {
    ':topic': { S: topic },
    ':lastSeen': { S: lastSeen },
    ':messages': { N: String(messages) },
    ...(receivedAfter !== undefined && { ':receivedAfter': { S: receivedAfter } }),
  };
  const told = `topic = :topic, lastSeen = :lastSeen${receivedAfter === undefined ? '' : ', receivedAfter = :receivedAfter'}`;
  const lasting: UpdateItemCommandInput = {
    TableName: tableName,
    Key,
    UpdateExpression: `SET ${told}, expiresAt = :expiresAt ADD messages :messages`,
    // Retentions differ by days: half of one lets instances of the same retention pass, whichever comes first.
    ConditionExpression: 'attribute_not_exists(expiresAt) OR expiresAt <= :longest',
    ExpressionAttributeValues: {
      ...values,
      ':expiresAt': { N: String(expiresAtSeconds) },
      ':longest': { N: String(expiresAtSeconds + daySeconds / 2) },
    },
  };
  const counting: UpdateItemCommandInput = {
    TableName: tableName,
    Key,
    UpdateExpression: `SET ${told} ADD messages :messages`,
    ExpressionAttributeValues: values,
  };
  return { lasting, counting };
}

/** The end of the topic's minute that `nowMs` is in. */
function endOfMinute(nowMs: number, phaseMs: number): number {
  return nowMs - ((nowMs - phaseMs) % minuteMs) + minuteMs;
}
