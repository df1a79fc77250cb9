// A dead letter: a message that its handler will never take, with the reason, as the quarantine keeps it.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { chunkItems, joinChunks, maxInlineBytes } from './chunks.ts';
import { encodeEnvelope } from './envelope.ts';
import type { Item } from './item.ts';
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

export function chunkPartition(letter: Pick<DeadLetter, 'message'>): string {
  return `${quarantinePartition}/${deadLetterId(letter)}`;
}
