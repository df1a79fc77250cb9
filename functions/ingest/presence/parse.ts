// A batch of presence messages as the events of each client, and as failures where they cannot be read. Pure.
import type { Message } from '../../contract/message.ts';
import { comparePlaces, type PresenceEvent } from '../../contract/presence.ts';
import type { PresenceFeed } from '../../contract/presence-feed.ts';
import type { ItemFailure } from '../../contract/receipt.ts';
import { parseAwsIot } from './aws-iot.ts';
import { parseEmbedded } from './embedded.ts';
import { parseEmqx } from './emqx.ts';
import type { ParsedPresence } from './facts.ts';
import { parseLastWill } from './last-will.ts';

/** What a batch says of one client. */
export interface ClientEvents {
  readonly clientId: string;
  /** In their true order, so that a batch that is out of order is none. */
  readonly events: readonly PresenceEvent[];
  /** Ids of the messages that they came in. */
  readonly ids: readonly string[];
}

export interface ParsedBatch {
  readonly clients: readonly ClientEvents[];
  /** Messages that will never be understood. */
  readonly refused: readonly ItemFailure[];
}

function parsePresence(message: Message, feed: PresenceFeed): ParsedPresence {
  const { topic, payload } = message;
  switch (feed.source) {
    case 'embedded':
      return parseEmbedded(topic, payload);
    case 'aws-iot':
      return parseAwsIot(topic, payload);
    case 'emqx':
      return parseEmqx(topic, payload);
    case 'last-will':
      return parseLastWill(message, feed);
  }
}

export function parseBatch(messages: readonly Message[], feed: PresenceFeed): ParsedBatch {
  const byClient = new Map<string, { events: PresenceEvent[]; ids: string[] }>();
  const refused: ItemFailure[] = [];
  for (const message of messages) {
    const parsed = parsePresence(message, feed);
    if (parsed.kind === 'fault')
      refused.push({
        itemIdentifier: message.id,
        reason: parsed.reason.slice(0, 200),
        retryable: false,
      });
    if (parsed.kind !== 'event') continue;
    const { clientId } = parsed.event;
    const entry = byClient.get(clientId) ?? { events: [], ids: [] };
    byClient.set(clientId, entry);
    entry.events.push(parsed.event);
    entry.ids.push(message.id);
  }
  const clients = [...byClient].map(([clientId, { events, ids }]) => ({
    clientId,
    events: events.sort((a, b) => comparePlaces(a.place, b.place)),
    ids,
  }));
  return { clients, refused };
}
