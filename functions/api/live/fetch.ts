// The messages that entries of the feed name, read from where they are stored.
import type { Message } from '../../contract/message.ts';
import { createStoredMessages, DamagedMessage } from '../../reading/stored-messages.ts';
import { decodeSegment } from '../../segments/segment-codec.ts';
import { segmentSortKey } from '../../segments/segment-key.ts';
import { getSegments } from '../../segments/stored-segments.ts';
import { getBatch } from '../../table/batch-get.ts';
import { messagePartition, shardOf } from '../../table/item.ts';
import type { ItemSource } from '../../table/partition.ts';
import type { WindowMessage } from './window-entry.ts';

/** Reads them strongly consistent, as they were stored a moment ago. What is gone or damaged is absent. */
export function createFetch(source: ItemSource) {
  const stored = createStoredMessages(source);

  async function singles(messages: readonly WindowMessage[]): Promise<Message[]> {
    const keys = messages.map(({ topic, key, part: { place } }) => {
      const id = key.slice(key.indexOf('#') + 1);
      const shard = place.kind === 'items' ? shardOf(id, place.shards) : 0;
      return { pk: { S: messagePartition(topic, shard) }, sk: { S: key } };
    });
    const found: Message[] = [];
    for (const item of await getBatch(source, keys)) {
      const message = await stored.whole(item).catch((error: unknown) => {
        if (error instanceof DamagedMessage) return undefined;
        throw error;
      });
      if (message !== undefined) found.push(message);
    }
    return found;
  }

  async function packed(messages: readonly WindowMessage[]): Promise<Message[]> {
    const names = new Map(
      messages.flatMap(({ topic, part: { place } }) =>
        place.kind === 'segment' ? [[segmentSortKey(place.id), { id: place.id, topic }]] : [],
      ),
    );
    const segments = await getSegments(source, [...names.values()], { consistent: true });
    return segments.flatMap(({ bytes }) => {
      const decoded = decodeSegment(bytes);
      return decoded.ok ? decoded.value.messages : [];
    });
  }

  return async (messages: readonly WindowMessage[]): Promise<readonly Message[]> => {
    const isSingle = ({ part }: WindowMessage) => part.place.kind === 'items';
    const [items, others] = await Promise.all([
      singles(messages.filter(isSingle)),
      packed(messages.filter((message) => !isSingle(message))),
    ]);
    return [...items, ...others];
  };
}
