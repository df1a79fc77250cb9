// Which topics a user may publish and subscribe to.
import { matchesFilter } from '../../../functions/contract/topic.ts';

export interface TopicRights {
  mayPublish(topic: string): boolean;
  maySubscribe(filter: string): boolean;
}

/** Topics that nobody but the broker publishes to, and those that nobody can subscribe to. */
const brokersOwn = /^\$(SYS|events|share)(\/|$)/;

export interface Grants {
  /** Topic filters; `%u` is the user's name and `%c` the client id, each as one level or part of one. */
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

export function topicRights(grants: Grants, user: string, clientId: string): TopicRights {
  const publish = grants.publish.flatMap((filter) => filled(filter, user, clientId));
  const subscribe = grants.subscribe.flatMap((filter) => filled(filter, user, clientId));
  return {
    mayPublish: (topic) =>
      !brokersOwn.test(topic) && publish.some((filter) => matchesFilter(filter, topic)),
    maySubscribe: (filter) => subscribe.some((granted) => covers(granted, filter)),
  };
}

/** Everything, the events included; only what is the broker's own is not published. */
export const allRights: TopicRights = {
  mayPublish: (topic) => !brokersOwn.test(topic),
  maySubscribe: () => true,
};

function filled(filter: string, user: string, clientId: string): string[] {
  const names = { '%u': user, '%c': clientId };
  for (const [placeholder, name] of Object.entries(names)) {
    // A name with a wildcard in it would open more than its own topics (mosquitto's CVE-2017-7650).
    if (filter.includes(placeholder) && (name === '' || /[/+#]/.test(name))) return [];
  }
  const own = filter.replace(/%[uc]/g, (found) => names[found as '%u' | '%c']);
  // Nor may a client named `$events` get the broker's own topics by `%c/#`: those have to be named.
  return own.startsWith('$') && !filter.startsWith('$') ? [] : [own];
}

/** Whether every topic that `filter` matches is one that `granted` matches. */
export function covers(granted: string, filter: string): boolean {
  const levels = filter.split('/');
  if (filter.startsWith('$') && /^[+#]/.test(granted)) return false;
  const grantedLevels = granted.split('/');
  for (const [index, level] of grantedLevels.entries()) {
    if (level === '#') return true;
    const wanted = levels[index];
    if (wanted === undefined || wanted === '#') return false;
    if (level !== '+' && level !== wanted) return false;
  }
  return levels.length === grantedLevels.length;
}
