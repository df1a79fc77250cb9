// What probably happened where a list is empty: a wildcard that the URL swallowed, a topic that is written otherwise.

/** What became of the wildcards of a filter in a URL; undefined where nothing looks like it. */
export function filterHint(filter: string): string | undefined {
  if (/[+#]/.test(filter)) return undefined;
  if (filter.includes(' '))
    return 'the filter holds a space: a + in a URL stands for one, so write the wildcard as %2B';
  if (filter.endsWith('/'))
    return 'the filter ends in /: a # in a URL begins its fragment, which is not sent, so write the wildcard as %23';
  return undefined;
}

/** Edits that make a topic of another one near to it. */
const maxEdits = 2;
/** Topics that are told. */
const maxTold = 3;

/** Where a topic stands, or what may have been meant instead: exact topics and a filter, few enough to be read. */
export function nearbyFilters(topic: string): string[] {
  const bare = topic.trim().replace(/^\/+|\/+$/g, '');
  const slash = topic.lastIndexOf('/');
  const siblings = slash === -1 ? '+' : `${topic.slice(0, slash)}/+`;
  return [...new Set([topic, bare, `/${bare}`, `${bare}/`, bare.toLowerCase(), siblings])].filter(
    (filter) => filter !== '',
  );
}

/** In words, which of the known topics is near to one that is not known; undefined where none is. */
export function topicHint(topic: string, known: readonly string[]): string | undefined {
  if (known.includes(topic)) return undefined;
  const near = known
    .map((one) => ({ one, edits: editsBetween(plain(one), plain(topic)) }))
    .filter(({ edits }) => edits <= maxEdits)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, maxTold)
    .map(({ one }) => one);
  return near.length === 0
    ? undefined
    : `no message of this topic is stored; near to it: ${near.join(', ')}`;
}

/** Without what is easily mistaken: case, and slashes and spaces around. */
function plain(topic: string): string {
  return topic
    .trim()
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase();
}

/** Characters to insert, delete or replace (Levenshtein), or more than {@link maxEdits} where it is more. */
function editsBetween(a: string, b: string): number {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) > maxEdits) return maxEdits + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
    if (Math.min(...row) > maxEdits) return maxEdits + 1;
  }
  return row.at(-1) ?? 0;
}
