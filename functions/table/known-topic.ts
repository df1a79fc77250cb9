// The registry of topics as items of the table: each topic with the time and about the number of its messages.
import { type Item, topicKey } from './item.ts';

/** Partition of the registry. No message key can collide with it: theirs start with `m/`. */
export const topicsPartition = 'topics';

/** A topic of the registry. */
export interface KnownTopic {
  readonly topic: string;
  /** RFC 3339; behind the newest message by up to two minutes. */
  readonly lastSeen: string;
  /** Of its newest message, or of an earlier one; see {@link Message.receivedAfter}. */
  readonly receivedAfter?: string;
  /** About how many messages it has had since it became known, the expired ones among them. */
  readonly messages: number;
}

/** Key of a topic in the registry. */
export function knownTopicKey(topic: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: topicsPartition }, sk: { S: topicKey(topic) } };
}

/** The topic that a registry item is. Throws where it is none: that is a bug or a foreign write. */
export function knownTopicOf(item: Item): KnownTopic {
  const topic = item['topic']?.S;
  const lastSeen = item['lastSeen']?.S;
  if (topic === undefined || lastSeen === undefined)
    throw new Error('the item is no topic of the registry');
  const receivedAfter = item['receivedAfter']?.S;
  return {
    topic,
    lastSeen,
    ...(receivedAfter !== undefined && { receivedAfter }),
    messages: Number(item['messages']?.N ?? 0),
  };
}

/** A topic as an item of the registry; when it expires, its writer adds. */
export function knownTopicItem({ topic, lastSeen, receivedAfter, messages }: KnownTopic): Item {
  return {
    ...knownTopicKey(topic),
    topic: { S: topic },
    lastSeen: { S: lastSeen },
    ...(receivedAfter !== undefined && { receivedAfter: { S: receivedAfter } }),
    messages: { N: String(messages) },
  };
}
