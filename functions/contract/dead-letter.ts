// A dead letter: a message that its handler will never take, with the reason, as the quarantine keeps it.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { chunkItems, chunkKeys, joinChunks, maxInlineBytes } from './chunks.ts';
import { decodeKeptEnvelope, encodeEnvelope } from './envelope.ts';
import { type Item, textAt } from './item.ts';
import type { Message } from './message.ts';

export interface DeadLetter {
  readonly route: string;
  /** Why it is here, in words; no payload in it. */
  readonly reason: string;
  /** How often the handler was asked. */
  readonly attempts: number;
  /** RFC 3339. */
  readonly quarantinedAt: string;
  readonly message: Message;
}

/** Partition of all dead letters, sorted by time of receipt. */
export const quarantinePartition = 'quarantine';

/** Identifies a dead letter: quarantining the same delivery again lands on the same one. */
export function deadLetterId({ message }: Pick<DeadLetter, 'message'>): string {
  return `${message.time}#${message.id}`;
}

/**
 * The items that keep a dead letter, the main one last: it may be written once the others are. The message is
 * kept as its envelope; it carries every property and the exact bytes, and has no limit on its parts that the
 * broken message could exceed.
 */
export function deadLetterItems(letter: DeadLetter): Item[] {
  const envelope = Buffer.from(encodeEnvelope(letter.message), 'utf8');
  const chunks =
    envelope.byteLength <= maxInlineBytes
      ? []
      : chunkItems(chunkPartition(letter), envelope, undefined);
  const main: Item = {
    pk: { S: quarantinePartition },
    sk: { S: deadLetterId(letter) },
    route: { S: letter.route },
    reason: { S: letter.reason },
    attempts: { N: String(letter.attempts) },
    quarantinedAt: { S: letter.quarantinedAt },
    // Of the message; here too, so that a list need not read envelopes.
    topic: { S: letter.message.topic },
    bytes: { N: String(letter.message.payload.byteLength) },
    ...(chunks.length === 0
      ? { envelope: { S: envelope.toString('utf8') } }
      : { chunks: { N: String(chunks.length) } }),
  };
  return [...chunks, main];
}

/** The envelope text of a stored dead letter; `chunks` are its chunk items where it has any. */
export function deadLetterEnvelope(main: Item, chunks: readonly Item[]): string {
  const inline: AttributeValue | undefined = main['envelope'];
  return inline?.S ?? Buffer.from(joinChunks(chunks)).toString('utf8');
}

/** The message of a stored dead letter, exactly as it was received, whatever rule it breaks. */
export function deadLetterMessage(main: Item, chunks: readonly Item[]): Message {
  return decodeKeptEnvelope(deadLetterEnvelope(main, chunks));
}

export function chunkPartition(letter: Pick<DeadLetter, 'message'>): string {
  return deadLetterChunkPartition(deadLetterId(letter));
}

/** Partition of the chunks of the dead letter with this id. */
export function deadLetterChunkPartition(id: string): string {
  return `${quarantinePartition}/${id}`;
}

/** Key of the main item of the dead letter with this id. */
export function deadLetterKey(id: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: quarantinePartition }, sk: { S: id } };
}

/** Keys of all items of a stored dead letter, in the order in which to delete them: the main one, then its chunks. */
export function deadLetterKeys(main: Item): { pk: { S: string }; sk: { S: string } }[] {
  const id = main['sk']?.S ?? '';
  const chunks = Number(main['chunks']?.N ?? 0);
  return [deadLetterKey(id), ...chunkKeys(deadLetterChunkPartition(id), chunks)];
}

/** What a list says of a dead letter. */
export interface DeadLetterSummary extends Omit<DeadLetter, 'message'> {
  /** `time#id` of its message, as {@link deadLetterId} gives it. */
  readonly id: string;
  readonly topic: string;
  /** Bytes of the payload. */
  readonly bytes: number;
}

/** The attributes of a main item that {@link deadLetterSummaryOf} reads. */
export const summaryAttributes = 'sk, route, reason, attempts, quarantinedAt, topic, bytes';

/** The summary of a stored dead letter. Throws where the item is none: that is a bug or a foreign write. */
export function deadLetterSummaryOf(main: Item): DeadLetterSummary {
  return {
    id: textAt(main, 'sk'),
    route: textAt(main, 'route'),
    reason: textAt(main, 'reason'),
    attempts: Number(main['attempts']?.N),
    quarantinedAt: textAt(main, 'quarantinedAt'),
    topic: textAt(main, 'topic'),
    bytes: Number(main['bytes']?.N),
  };
}
