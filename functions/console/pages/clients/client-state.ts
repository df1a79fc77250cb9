// A client in one word, and where its messages probably are.
import type { Client, Topic } from '../../client/operations.ts';

export const stateOf = ({ flapping, status }: Pick<Client, 'flapping' | 'status'>) =>
  flapping ? 'flapping' : status;

/** The first levels of a known topic, up to the one that is the client's id; undefined where there is none. */
export function levelsOf(clientId: string, topics: readonly Topic[]): string | undefined {
  for (const { topic } of topics) {
    const levels = topic.split('/');
    const at = levels.indexOf(clientId);
    if (at >= 0) return levels.slice(0, at + 1).join('/');
  }
  return undefined;
}
