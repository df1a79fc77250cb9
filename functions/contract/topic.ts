// The rules for topic names and topic filters: what is legal, and which topics a filter matches.

/** Longest string, topic name or filter in UTF-8 bytes: MQTT strings carry a two-byte length [MQTT-1.5.4]. */
export const maxStringBytes = 65_535;

const emptyFault = 'must not be empty [MQTT-4.7.3-1]';

// Brokers may close the connection on control characters and noncharacters [MQTT-1.5.4], mosquitto does,
// and MQTT.js would then send the same packet again at every reconnect: so they never get that far.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f]/u;
const noncharacters = /\p{Noncharacter_Code_Point}/u;

/** The rule that a string breaks which MQTT shall carry, in words, or undefined when it can. */
export function stringFault(text: string): string | undefined {
  if (!text.isWellFormed())
    return 'must be well-formed Unicode, without lone surrogates [MQTT-1.5.4-1]';
  if (Buffer.byteLength(text) > maxStringBytes)
    return `must be at most ${maxStringBytes} bytes in UTF-8`;
  if (text.includes('\u0000')) return 'must not contain U+0000 [MQTT-1.5.4-2]';
  if (controls.test(text)) return 'must not contain control characters [MQTT-1.5.4]';
  if (noncharacters.test(text)) return 'must not contain Unicode noncharacters [MQTT-1.5.4]';
  return undefined;
}

/** Printable ASCII without wildcards: what nearly every topic is. */
const plainTopic = /^[ -"$-*,-~]+$/;

/** The rule that a topic name breaks, in words, or undefined when it is legal. */
export function topicFault(topic: string): string | undefined {
  if (topic.length <= maxStringBytes && plainTopic.test(topic)) return undefined;
  if (/[+#]/.test(topic)) return 'must not contain the wildcards + or # [MQTT-3.3.2-2]';
  return topic === '' ? emptyFault : stringFault(topic);
}

/** As {@link topicFault}, for a topic that a caller wants to publish to: `$` topics belong to the broker. */
export function publishTopicFault(topic: string): string | undefined {
  if (topic.startsWith('$'))
    return 'must not start with $: those topics belong to the broker [MQTT-4.7.2-1]';
  return topicFault(topic);
}

/** The rule that a topic filter breaks, in words, or undefined when it is legal. */
export function filterFault(filter: string): string | undefined {
  const levels = filter.split('/');
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || index !== levels.length - 1)) {
      return '# must be the last level and stand alone [MQTT-4.7.1-1]';
    }
    if (level.includes('+') && level !== '+') return '+ must occupy a whole level [MQTT-4.7.1-2]';
  }
  return filter === '' ? emptyFault : stringFault(filter);
}

/**
 * Whether a topic filter matches a topic name, both legal. `#` also matches its parent level, and a
 * leading wildcard does not match topics that start with `$` [MQTT-4.7.2-1].
 *
 * Walks along both and takes nothing apart, so it costs no more than the shorter of them has levels, or the first
 * that differs: callers match filters of their own with every topic that there is.
 */
export function matchesFilter(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  let inFilter = 0;
  let inTopic = 0;
  while (inFilter <= filter.length) {
    if (filter[inFilter] === '#') return true;
    if (inTopic > topic.length) return false;
    const filterEnd = levelEnd(filter, inFilter);
    const topicEnd = levelEnd(topic, inTopic);
    if (filter[inFilter] !== '+') {
      const length = filterEnd - inFilter;
      if (topicEnd - inTopic !== length) return false;
      for (let index = 0; index < length; index++)
        if (filter.charCodeAt(inFilter + index) !== topic.charCodeAt(inTopic + index)) return false;
    }
    inFilter = filterEnd + 1;
    inTopic = topicEnd + 1;
  }
  return inTopic > topic.length;
}

function levelEnd(text: string, start: number): number {
  const slash = text.indexOf('/', start);
  return slash === -1 ? text.length : slash;
}

/** The filter that matches what both filters match, all legal; undefined where that is nothing. */
export function intersectionOf(a: string, b: string): string | undefined {
  const isWild = (filter: string) => filter.startsWith('+') || filter.startsWith('#');
  if ((a.startsWith('$') && isWild(b)) || (b.startsWith('$') && isWild(a))) return undefined;
  const [left, right] = [a.split('/'), b.split('/')];
  const levels: string[] = [];
  for (let index = 0; ; index++) {
    // `#` stands for whatever the other has from here on, and that may be nothing: `a/#` matches `a`.
    if (left[index] === '#') return nonEmpty([...levels, ...right.slice(index)]);
    if (right[index] === '#') return nonEmpty([...levels, ...left.slice(index)]);
    const [one, other] = [left[index], right[index]];
    if (one === undefined && other === undefined) return nonEmpty(levels);
    if (one === undefined || other === undefined) return undefined;
    if (one !== '+' && other !== '+' && one !== other) return undefined;
    levels.push(one === '+' ? other : one);
  }
}

/** `+` and `/#` have the empty topic in common, which there is not [MQTT-4.7.3-1]. */
function nonEmpty(levels: readonly string[]): string | undefined {
  return levels.join('/') || undefined;
}

/** The literal text that every topic matched by the filter starts with; narrows a sorted search. */
export function literalPrefix(filter: string): string {
  const wildcard = filter.search(/[+#]/);
  if (wildcard === -1) return filter;
  // `a/#` also matches `a`, so its prefix ends before the slash.
  return filter[wildcard] === '#'
    ? filter.slice(0, Math.max(0, wildcard - 1))
    : filter.slice(0, wildcard);
}
