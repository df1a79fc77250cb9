// A dead letter: a message that its handler will never take, with the reason, as the dead letters keeps it.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { planEnvelope, streamedEnvelope } from '../contract/envelope.ts';
import { inChunks, streamedInChunks } from '../contract/json-pieces.ts';
import type { Message } from '../contract/message.ts';
import { chunkItem, chunkKeys, joinChunks, maxChunkBytes, maxInlineBytes } from './chunks.ts';
import { type Item, textAt } from './item.ts';

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

/** A dead letter whose payload, which its message is without, may come in parts: it can be written once. */
export interface StreamedDeadLetter extends DeadLetter {
  readonly payload?: AsyncIterable<Uint8Array>;
  /** What all of it has. */
  readonly payloadBytes?: number;
}

/** The text of its envelope. */
export function envelopePieces({
  message,
  payload,
}: StreamedDeadLetter): Iterable<Buffer> | AsyncIterable<Buffer> {
  return payload === undefined
    ? planEnvelope(message).pieces()
    : streamedEnvelope(message, payload);
}

/** Partition of all dead letters, sorted by time of receipt. */
export const deadLetterPartition = 'quarantine';

/** Identifies a dead letter: keeping the same delivery again lands on the same one. */
export function deadLetterId({ message }: Pick<DeadLetter, 'message'>): string {
  return `${message.time}#${message.id}`;
}

/**
 * The items that keep a dead letter, the main one last: it may be written once the others are. Each is made when it is
 * asked for, as a message may be far larger than what is worth holding twice. The message is kept as its envelope; it
 * carries every property and the exact bytes, and has no limit on its parts that the broken message could exceed.
 */
export function* deadLetterItems(letter: DeadLetter): Generator<Item> {
  const envelope = planEnvelope(letter.message);
  if (envelope.bytes <= maxInlineBytes) {
    const text = Buffer.concat([...envelope.pieces()]).toString('utf8');
    return yield mainItem(letter, { envelope: { S: text } });
  }
  const partition = chunkPartition(letter);
  let chunks = 0;
  for (const bytes of inChunks(envelope.pieces(), maxChunkBytes))
    yield chunkItem(partition, chunks++, bytes);
  yield mainItem(letter, { chunks: { N: String(chunks) } });
}

/** As {@link deadLetterItems}, of one whose payload is still coming. */
export async function* streamedDeadLetterItems(letter: StreamedDeadLetter): AsyncGenerator<Item> {
  const partition = chunkPartition(letter);
  let chunks = 0;
  for await (const bytes of streamedInChunks(envelopePieces(letter), maxChunkBytes))
    yield chunkItem(partition, chunks++, bytes);
  yield mainItem(letter, { chunks: { N: String(chunks) } });
}

function mainItem(letter: StreamedDeadLetter, kept: Item): Item {
  const { message, payloadBytes = message.payload.byteLength } = letter;
  return {
    pk: { S: deadLetterPartition },
    sk: { S: deadLetterId(letter) },
    route: { S: letter.route },
    reason: { S: letter.reason },
    attempts: { N: String(letter.attempts) },
    quarantinedAt: { S: letter.quarantinedAt },
    // Of the message; here too, so that a list need not read envelopes.
    topic: { S: message.topic },
    bytes: { N: String(payloadBytes) },
    ...kept,
  };
}

/** The envelope text of a stored dead letter; `chunks` are its chunk items where it has any. */
export function deadLetterEnvelope(main: Item, chunks: readonly Item[]): string {
  const inline: AttributeValue | undefined = main['envelope'];
  return inline?.S ?? Buffer.from(joinChunks(chunks)).toString('utf8');
}

export function chunkPartition(letter: Pick<DeadLetter, 'message'>): string {
  return deadLetterChunkPartition(deadLetterId(letter));
}

/** Partition of the chunks of the dead letter with this id. */
export function deadLetterChunkPartition(id: string): string {
  return `${deadLetterPartition}/${id}`;
}

/** Key of the main item of the dead letter with this id. */
export function deadLetterKey(id: string): { pk: { S: string }; sk: { S: string } } {
  return { pk: { S: deadLetterPartition }, sk: { S: id } };
}

/** Keys of all items of the dead letter with this id that has so many chunks: the main one, then those. */
export function keysOfDeadLetter(
  id: string,
  chunks: number,
): { pk: { S: string }; sk: { S: string } }[] {
  return [deadLetterKey(id), ...chunkKeys(deadLetterChunkPartition(id), chunks)];
}

/** What a list says of a dead letter. */
export interface DeadLetterSummary extends Omit<DeadLetter, 'message'> {
  /** `time#id` of its message, as {@link deadLetterId} gives it. */
  readonly id: string;
  readonly topic: string;
  /** Bytes of the payload. */
  readonly bytes: number;
  /** When it is deleted, RFC 3339; absent where it was kept before dead letters expired. */
  readonly expiresAt?: string;
}

/** The attributes of a main item that {@link deadLetterSummaryOf} reads. */
export const summaryAttributes =
  'sk, route, reason, attempts, quarantinedAt, topic, bytes, expiresAt';

/** The summary of a stored dead letter. Throws where the item is none: that is a bug or a foreign write. */
export function deadLetterSummaryOf(main: Item): DeadLetterSummary {
  const expiresAt = main['expiresAt']?.N;
  return {
    id: textAt(main, 'sk'),
    route: textAt(main, 'route'),
    reason: textAt(main, 'reason'),
    attempts: Number(main['attempts']?.N),
    quarantinedAt: textAt(main, 'quarantinedAt'),
    topic: textAt(main, 'topic'),
    bytes: Number(main['bytes']?.N),
    ...(expiresAt !== undefined && { expiresAt: new Date(Number(expiresAt) * 1000).toISOString() }),
  };
}

/** Leaves out what has expired and is still to be deleted, in a query; and in the same way of one route alone. */
export function unexpiredDeadLetters(
  nowMs: number,
  {
    route,
    reason,
  }: { readonly route?: string | undefined; readonly reason?: string | undefined } = {},
) {
  const parts = ['(attribute_not_exists(expiresAt) OR expiresAt > :now)'];
  const values: Record<string, AttributeValue> = {
    ':now': { N: String(Math.floor(nowMs / 1000)) },
  };
  if (route !== undefined) {
    parts.push('route = :route');
    values[':route'] = { S: route };
  }
  if (reason !== undefined) {
    parts.push('reason = :reason');
    values[':reason'] = { S: reason };
  }
  return { expression: parts.join(' AND '), values };
}

/** Whether a dead letter has expired, and is still to be deleted. */
export function hasExpired(main: Item, nowMs: number): boolean {
  const expiresAt = main['expiresAt']?.N;
  return expiresAt !== undefined && Number(expiresAt) * 1000 <= nowMs;
}
