// AWS IoT Core's documented limits and reserved topics, for a broker that holds clients to them. Written down from the
// documentation a second time, and not taken from the code under test: what one of the two has wrong shows.
//
// "AWS IoT Core endpoints and quotas" (AWS General Reference), "MQTT", "Reserved topics" (Developer Guide).

export const quotas = {
  clientIdBytes: 128,
  payloadBytes: 131_072,
  topicBytes: 256,
  slashes: 7,
  subscriptionsPerSubscribe: 8,
  subscriptionsPerConnection: 50,
  inboundUnacknowledged: 100,
  outboundUnacknowledged: 100,
  publishesPerSecond: 100,
  unacknowledgedMs: 3_600_000,
  keepAlive: { min: 30, max: 1200 },
  connectsPerSecondPerClientId: 1,
  sessionExpirySeconds: 604_800,
} as const;

/** What is wrong with a topic or filter; `$share/<group>/` has been taken off. */
export function topicViolation(topic: string): string | undefined {
  const counted = topic.replace(/^\$aws\/rules\/[^/]+\//, '');
  if (Buffer.byteLength(counted) > quotas.topicBytes)
    return `a topic of ${Buffer.byteLength(counted)} bytes`;
  const slashes = counted.length - counted.replaceAll('/', '').length;
  if (slashes > quotas.slashes) return `a topic with ${slashes} slashes`;
  if (topic.startsWith('$') && !topic.startsWith('$aws/')) return `the reserved topic ${topic}`;
  return undefined;
}

export function payloadViolation(payload: string | Buffer): string | undefined {
  const bytes = Buffer.byteLength(payload);
  return bytes > quotas.payloadBytes ? `a payload of ${bytes} bytes` : undefined;
}

/** Whether the broker's filter matches: MQTT's rules, level by level. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false;
  const pattern = filter
    .split('/')
    .map((level) => (level === '+' ? '[^/]*' : level === '#' ? '.*' : escaped(level)))
    .join('/')
    .replace(/\/\.\*$/, '(/.*)?');
  return new RegExp(`^${pattern}$`, 's').test(topic);
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Counts what comes within any second. */
export class Rate {
  readonly #timesMs: number[] = [];

  /** One comes; gives how many came within the second that ends now, this one among them. */
  count(nowMs: number): number {
    this.#timesMs.push(nowMs);
    return this.within(nowMs);
  }

  within(nowMs: number): number {
    while ((this.#timesMs[0] ?? nowMs) <= nowMs - 1000) this.#timesMs.shift();
    return this.#timesMs.length;
  }
}

/** What an AWS IoT or IAM policy allows: actions with resources, in which `*` stands for any text. */
export interface PolicyStatement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** Whether a policy allows `action` on `client/<id>`, `topic/<name>` or `topicfilter/<filter>`. */
export function isAllowed(
  policy: readonly PolicyStatement[],
  action: string,
  resource: string,
): boolean {
  return policy.some(
    ({ actions, resources }) =>
      actions.includes(action) &&
      resources.some((pattern) =>
        new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 's').test(resource),
      ),
  );
}
