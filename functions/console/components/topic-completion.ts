// What can stand at the end of a topic or filter that somebody is typing: the levels that are known, with counts.
import { matchesFilter } from '../../contract/topic.ts';

export interface Completion {
  readonly value: string;
  readonly hint: string;
}

const maxCompletions = 12;

/** Completes the last level of `text`; with wildcards, `#` and `+` are offered too. */
export function completionsOf(
  text: string,
  topics: readonly { readonly topic: string }[],
  takesWildcards: boolean,
): Completion[] {
  const levels = text.split('/');
  const begun = levels.at(-1) ?? '';
  const parents = levels.slice(0, -1);
  const counts = new Map<string, { topics: number; isParent: boolean }>();
  for (const { topic } of topics) {
    const parts = topic.split('/');
    if (parts.length < levels.length) continue;
    const isBelow =
      parents.length === 0 ||
      matchesFilter(parents.join('/'), parts.slice(0, parents.length).join('/'));
    const level = parts[levels.length - 1];
    if (!isBelow || level === undefined || !level.startsWith(begun)) continue;
    const known = counts.get(level) ?? { topics: 0, isParent: false };
    const isParent = known.isParent || parts.length > levels.length;
    counts.set(level, { topics: known.topics + 1, isParent });
  }
  const before = parents.map((level) => `${level}/`).join('');
  const found = [...counts].map(([level, { topics: below, isParent }]) => ({
    value: `${before}${level}${isParent ? '/' : ''}`,
    hint: isParent ? `${below} below` : 'topic',
  }));
  const wild =
    takesWildcards && begun === '' && found.length > 1
      ? [
          { value: `${before}#`, hint: 'all below' },
          { value: `${before}+`, hint: 'any one level' },
        ]
      : [];
  return [...wild, ...found].filter(({ value }) => value !== text).slice(0, maxCompletions);
}
