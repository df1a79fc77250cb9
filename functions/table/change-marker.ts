// The change marker: one item that gets another version before something is written that bridges look for: commands, replays,
// states of routes. So that a bridge with nothing to do reads one small item, and not each of those.
import { randomUUID } from 'node:crypto';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { ItemSource } from './partition.ts';

const key = { pk: { S: 'change-marker' }, sk: { S: 'change-marker' } };

/** What a mark announces has been written, or never will be, by then: API Gateway waits 30 s, and a function lives as long. */
export const announcedSeconds = 60;

/** To be called before the write that it announces: who fails in between has announced nothing, which is no harm. */
export async function markChange({ client, tableName }: ItemSource): Promise<void> {
  const Item = { ...key, version: { S: randomUUID() } };
  await client.send(new PutItemCommand({ TableName: tableName, Item }));
}

/** The version now; undefined where there never was a change. */
export async function readChangeMarker({
  client,
  tableName,
}: ItemSource): Promise<string | undefined> {
  const { Item } = await client.send(
    new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
  );
  return Item?.['version']?.S;
}

/**
 * Marks changes for a writer of many: a mark holds for what is written soon after it, too. `now` is in milliseconds. What
 * the function resolves with is written before it does.
 */
export function createMarkChanges(source: ItemSource, now: () => number): () => Promise<void> {
  const holdsMs = (announcedSeconds * 1000) / 4;
  let marked: { readonly atMs: number; readonly done: Promise<void> } | undefined;
  return async () => {
    const nowMs = now();
    if (marked === undefined || nowMs - marked.atMs > holdsMs || nowMs < marked.atMs)
      marked = { atMs: nowMs, done: markChange(source) };
    const { done } = marked;
    try {
      await done;
    } catch (error) {
      if (marked.done === done) marked = undefined;
      throw error;
    }
  };
}
