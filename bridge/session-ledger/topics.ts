// Whose a topic is: matched by a session's own filter, by one that it had earlier, or by none. Made for each message, so
// that it neither splits nor allocates.
import type { Rewriting } from '../config/profiles/profile.ts';
import type { TopicOwner } from '../session/subscriber.ts';

type Matches = (topic: string) => boolean;

/** As `matchesFilter` of the contract, for one filter and many topics. */
export function topicMatcher(filter: string): Matches {
  if (filter === '#') return (topic) => topic[0] !== '$';
  const wildcard = filter.search(/[+#]/);
  if (wildcard === -1) return (topic) => topic === filter;
  if (wildcard === filter.length - 1 && filter.endsWith('/#')) {
    const parent = filter.slice(0, -2);
    const prefix = filter.slice(0, -1);
    return (topic) => topic.startsWith(prefix) || topic === parent;
  }
  const hidesDollar = wildcard === 0;
  const levels = filter.split('/');
  return (topic) => !(hidesDollar && topic[0] === '$') && matchesLevels(levels, topic);
}

function matchesLevels(levels: readonly string[], topic: string): boolean {
  /** Where the next level begins; -1 past the last one. */
  let at = 0;
  for (const level of levels) {
    // Also the parent level, past which there is none.
    if (level === '#') return true;
    if (at === -1) return false;
    const slash = topic.indexOf('/', at);
    const length = (slash === -1 ? topic.length : slash) - at;
    if (level !== '+' && !(length === level.length && topic.startsWith(level, at))) return false;
    at = slash === -1 ? -1 : slash + 1;
  }
  return at === -1;
}

/**
 * Judges topics for a session with this filter and these earlier ones. A broker that rewrites topics is known by its
 * profile: there, what was rewritten in the same way is the same.
 */
export function topicOwners(
  filter: string,
  earlier: () => readonly string[],
  rewriting: Rewriting | undefined,
): (topic: string) => TopicOwner {
  const fold = (text: string) =>
    rewriting === undefined ? text : text.replaceAll(rewriting.from, rewriting.to);
  const isOwn = topicMatcher(filter);
  const isOwnFolded = rewriting === undefined ? () => false : topicMatcher(fold(filter));
  const startsWithWildcard = /^[+#]/.test(filter);
  return (topic) => {
    if (isOwn(topic)) return 'own';
    // No wildcard at the start of a filter brings such a topic [MQTT-4.7.2-1].
    if (startsWithWildcard && topic.startsWith('$')) return 'foreign';
    if (isOwnFolded(fold(topic))) return 'own';
    return earlier().some((each) => topicMatcher(each)(topic)) ? 'foreign' : 'unmatched';
  };
}
