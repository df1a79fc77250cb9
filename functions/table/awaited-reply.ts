// Replies that are awaited, as items of the table: what a bridge that starts or takes over has to listen for. They
// stand there from recording to the deadline of their command and a little longer, unless it is settled before.
import { type Item, textAt } from './item.ts';
import { type QueuedCommand, queueShardOf, queueShards } from './queued-command.ts';

/** What has to come back to answer a command. */
export interface AwaitedReply {
  readonly commandId: string;
  /** Digest of who sent the command; empty where it is not known. */
  readonly caller: string;
  /** The response topic, expanded. */
  readonly topic: string;
  readonly correlationData: Uint8Array | undefined;
  /** After it nobody waits any more: milliseconds since 1970. */
  readonly endsAtMs: number;
}

/** A reply may come for so long after the deadline of its command, in milliseconds. */
const graceMs = 60_000;

/** When nobody waits any more for the reply to a command of this deadline (RFC 3339): milliseconds since 1970. */
export function replyEndsAtMs(deadline: string): number {
  return Date.parse(deadline) + graceMs;
}

/** What a command awaits, but for the topic, which only some have. */
export function awaitedBy({
  id,
  caller = '',
  deadline,
  correlationData,
}: {
  readonly id: string;
  readonly caller?: string | undefined;
  readonly deadline: string;
  readonly correlationData?: Uint8Array | undefined;
}): Omit<AwaitedReply, 'topic'> {
  return { commandId: id, caller, correlationData, endsAtMs: replyEndsAtMs(deadline) };
}

/** The partitions of awaited replies; in each they are sorted by caller, and within one by the age of their command. */
export const awaitedPartitions = Array.from({ length: queueShards }, (_, shard) =>
  partition(shard),
);

function partition(shard: number): string {
  return `awaited/${shard}`;
}

/** Key of an awaited reply. */
export function awaitedReplyKey(caller: string, commandId: string): Item {
  return {
    pk: { S: partition(queueShardOf(commandId)) },
    sk: { S: `${caller}#${commandId}` },
  };
}

/** The reply that a command awaits as an item, or none. */
export function awaitedReplyItems(command: QueuedCommand): Item[] {
  const { id, caller = '', awaitsReply, properties, deadline } = command;
  const { responseTopic: topic, correlationData } = properties;
  if (!awaitsReply || topic === undefined) return [];
  return [
    {
      ...awaitedReplyKey(caller, id),
      topic: { S: topic },
      ...(correlationData !== undefined && { correlationData: { B: correlationData } }),
      expiresAt: { N: String(Math.ceil(replyEndsAtMs(deadline) / 1000)) },
    },
  ];
}

/** The awaited reply that an item is. Throws where it is none: that is a bug or a foreign write. */
export function awaitedReplyOf(item: Item): AwaitedReply {
  const [caller = '', commandId = ''] = textAt(item, 'sk').split('#');
  return {
    commandId,
    caller,
    topic: textAt(item, 'topic'),
    correlationData: item['correlationData']?.B,
    endsAtMs: Number(item['expiresAt']?.N) * 1000,
  };
}
