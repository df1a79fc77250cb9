// Client ids as topics, so that filters and rights, which are made for topics, say which clients are meant and seen.
import type { Principal } from '../access/principal.ts';

// An id may hold + and #, which no topic does, and rights are for topics alone. In their place stand noncharacters,
// which no legal id, topic or filter has: only a wildcard matches such an id, and no other id can be taken for it.
const standIns: Readonly<Record<string, string>> = { '+': '\u{fdd0}', '#': '\u{fdd1}' };

/** The topic that stands for a client: `$presence/<client id>`. `read:#` does not match it [MQTT-4.7.2-1]. */
export function presenceTopic(clientId: string): string {
  return `$presence/${clientId.replaceAll(/[+#]/g, (wildcard) => standIns[wildcard] ?? '')}`;
}

/** The filter of such topics that a filter of client ids means. So `#` also matches ids that start with `$`. */
export function presenceFilter(filter: string): string {
  return `$presence/${filter}`;
}

/** The filter of client ids that a filter of such topics means. */
export function clientFilter(filter: string): string {
  return filter.slice('$presence/'.length);
}

/** The clients that a filter of ids means, as far as the caller may know of them. */
export function clientsSeenBy(principal: Principal, filter: string) {
  return {
    filters: principal
      .within('read', presenceFilter(filter))
      .filter((one) => one.startsWith(presenceFilter(''))),
    isVisible: (topic: string) => principal.can('read', topic),
  };
}
