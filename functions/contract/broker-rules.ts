// What a broker does not take, known before anything is sent to it: rules as data, and the faults of a publish or a
// subscription by them. A broker that gets it all the same closes the connection, or drops it without a word.
import * as z from 'zod';
import type { QoS } from './message.ts';
import type { FieldFault } from './problem.ts';

/**
 * Maximum levels of a topic or filter where nothing else is known. Brokers close the connection on too many of them, each
 * from a number of its own: EMQX has 128 at first, mosquitto 200.
 */
export const defaultMaxTopicLevels = 128;

/** Levels of a topic, in which `{name}` stands for any one level, and `{commandId}` for the id of the command. */
const template = z.string().min(1).max(1024);

export const brokerRulesSchema = z.strictObject({
  /** Highest QoS of a publish. */
  maxQoS: z.literal([0, 1, 2]),
  /** Whether it retains messages. */
  retain: z.boolean(),
  /** What topics begin with that it retains nothing on. */
  unretainedPrefixes: z.array(z.string().regex(/^\$[^+#]*\/$/)).optional(),
  /** Largest payload of a publish, in bytes. */
  maxPayloadBytes: z.int().min(1).optional(),
  /** Longest topic or filter, in bytes of UTF-8. */
  maxTopicBytes: z.int().min(1).optional(),
  /** Maximum levels of a topic or filter, one more than it has slashes; {@link defaultMaxTopicLevels} where absent. */
  maxTopicLevels: z.int().min(1).optional(),
  /** Levels at the beginning that do not count for the two limits above; with its last slash. */
  uncountedPrefix: template.optional(),
  /** What topics with `$` begin with that clients may publish to; none others. */
  publishPrefixes: z.array(z.string().regex(/^\$[^+#]*\/$/)),
  /** As `publishPrefixes`, for filters; all are allowed where it is absent. `$share/` is a rule of its own. */
  subscribePrefixes: z.array(z.string().regex(/^\$[^+#]*\/$/)).optional(),
  sharedSubscriptions: z.boolean(),
  /** False where a device cannot see a response topic, as the broker has MQTT 3.1.1 only. */
  responseTopics: z.boolean().optional(),
  /** Where a device answers a command that names no response topic, by the topic of the command. */
  replies: z.array(
    z.strictObject({
      request: template,
      response: template,
      /** Request and reply are JSON with the same `id`, where the topic does not say whose reply it is. */
      correlation: z.literal('/id').optional(),
    }),
  ),
});

export type BrokerRules = z.output<typeof brokerRulesSchema>;

/** The rules of a broker that nothing is known of: those of MQTT. */
export const anyBroker: BrokerRules = {
  maxQoS: 2,
  retain: true,
  publishPrefixes: [],
  sharedSubscriptions: true,
  replies: [],
};

/** What the rules say something about. */
export interface Publication {
  readonly topic: string;
  readonly payloadBytes: number;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** The rules that a publish breaks; the fields are those of a publish request. */
export function publicationFaults(
  { topic, payloadBytes, qos, retain }: Publication,
  rules: BrokerRules,
): FieldFault[] {
  const faults = publishTopicFaults(topic, rules).map((rule) => ({ field: 'topic', rule }));
  if (rules.maxPayloadBytes !== undefined && payloadBytes > rules.maxPayloadBytes)
    faults.push({
      field: 'payload',
      rule: `must be at most ${rules.maxPayloadBytes} bytes: the broker takes no more`,
    });
  if (qos > rules.maxQoS)
    faults.push({
      field: 'qos',
      rule: `must be at most ${rules.maxQoS}: the broker takes no more`,
    });
  if (retain && !rules.retain)
    faults.push({ field: 'retain', rule: 'must be false: the broker does not retain messages' });
  const unretained = rules.unretainedPrefixes?.find((prefix) => topic.startsWith(prefix));
  if (retain && unretained !== undefined)
    faults.push({
      field: 'retain',
      rule: `must be false on topics that begin with ${unretained}: the broker retains nothing there`,
    });
  return faults;
}

/** The rules that a topic breaks which somebody, we or a device, shall publish to; in words. */
export function publishTopicFaults(topic: string, rules: BrokerRules): string[] {
  const faults = sizeFaults(topic, rules);
  const { publishPrefixes: own } = rules;
  if (topic.startsWith('$') && !own.some((prefix) => topic.startsWith(prefix))) {
    const exception = own.length === 0 ? '' : `, but for ${own.join(' and ')}`;
    faults.unshift(
      `must not start with $${exception}: those topics belong to the broker [MQTT-4.7.2-1]`,
    );
  }
  return faults;
}

/** The rules that a topic filter breaks, a shared one (`$share/…`) among them; in words. */
export function filterFaults(filter: string, rules: BrokerRules): string[] {
  const [, shared] = /^\$share\/[^/]*\/(.*)$/s.exec(filter) ?? [];
  const plain = shared ?? filter;
  const faults = sizeFaults(plain, rules);
  if (shared !== undefined && !rules.sharedSubscriptions)
    faults.push('must not be shared: the broker has no shared subscriptions');
  const { subscribePrefixes } = rules;
  if (
    plain.startsWith('$') &&
    subscribePrefixes !== undefined &&
    !subscribePrefixes.some((prefix) => plain.startsWith(prefix))
  )
    faults.push(`must not start with $, but for ${subscribePrefixes.join(' and ')}`);
  return faults;
}

function sizeFaults(
  topic: string,
  { maxTopicBytes, maxTopicLevels = defaultMaxTopicLevels, uncountedPrefix }: BrokerRules,
): string[] {
  const counted =
    uncountedPrefix === undefined ? topic : topic.slice(prefixLength(uncountedPrefix, topic));
  const faults: string[] = [];
  if (maxTopicBytes !== undefined && Buffer.byteLength(counted) > maxTopicBytes)
    faults.push(`must be at most ${maxTopicBytes} bytes in UTF-8: the broker takes no more`);
  if (counted.split('/').length > maxTopicLevels)
    faults.push(`must have at most ${maxTopicLevels} levels: the broker takes no more`);
  return faults;
}

/** Where a device answers a command that was published to `topic`, by the broker's rules; undefined where none says. */
export function replyTopicOf(
  topic: string,
  commandId: string,
  { replies }: BrokerRules,
): string | undefined {
  for (const { request, response } of replies) {
    const names = namesIn(request, topic, commandId);
    if (names !== undefined)
      return response.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => {
        return names.get(name) ?? placeholder;
      });
  }
  return undefined;
}

/** Whether a reply on this topic belongs to the command that has the same `id` in its JSON. */
export function repliesById(responseTopic: string, { replies }: BrokerRules): boolean {
  return replies.some(
    ({ response, correlation }) =>
      correlation !== undefined && namesIn(response, responseTopic, '') !== undefined,
  );
}

/** What the names in a template stand for in a topic; undefined where they do not match. */
function namesIn(
  templateText: string,
  topic: string,
  commandId: string,
): ReadonlyMap<string, string> | undefined {
  const wanted = templateText.split('/');
  const levels = topic.split('/');
  if (wanted.length !== levels.length) return undefined;
  const names = new Map([['commandId', commandId]]);
  for (const [index, level] of levels.entries()) {
    const expected = wanted[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(expected)?.[1];
    const value = name === undefined ? expected : names.get(name);
    // A name that is there twice stands for the same level.
    if (value === undefined && name !== undefined) names.set(name, level);
    else if (value !== level) return undefined;
  }
  return names;
}

/** How much of a topic a prefix with `{name}` covers. */
function prefixLength(prefix: string, topic: string): number {
  const levels = prefix.split('/').slice(0, -1);
  const start = topic.split('/').slice(0, levels.length);
  const matches = levels.every((level, index) => /^\{\w+\}$/.test(level) || level === start[index]);
  return matches ? Math.min(topic.length, start.join('/').length + 1) : 0;
}
