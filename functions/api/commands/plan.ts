// Decides what becomes of a publish request: the command that it makes, or the problem with it. No input or output.
import {
  type BrokerRules,
  filterFaults,
  publicationFaults,
  publishTopicFaults,
  repliesById,
  replyTopicOf,
} from '../../contract/broker-rules.ts';
import {
  commandIdPlaceholder,
  defaultExpirySeconds,
  expandTopic,
  maxPublishBodyBytes,
  type PublishRequest,
} from '../../contract/command.ts';
import { jsonIdOf, jsonIdRule } from '../../contract/json-id.ts';
import type { MessageProperties } from '../../contract/message.ts';
import { type FieldFault, type Problem, problem } from '../../contract/problem.ts';
import { rawMembers } from '../../contract/raw-json.ts';
import { topicFault } from '../../contract/topic.ts';
import type { TraceContext } from '../../contract/trace-context.ts';
import { itemBytes } from '../../table/chunks.ts';
import { callerDigest } from '../../table/command-id.ts';
import type { LedgerEntry } from '../../table/command-item.ts';
import { propertiesItem } from '../../table/item-properties.ts';
import type { QueuedCommand } from '../../table/queued-command.ts';
import type { Principal, Right } from '../access/principal.ts';
import { lack } from '../access/scopes.ts';

/** Maximum arrays and objects around a value of a payload. */
export const maxPayloadDepth = 100;

/** With the inline payload and all that we add, this fits into an item of 400 KB. */
const maxPropertiesBytes = 300 * 1024;

export interface ReadPayload {
  readonly payload: Uint8Array;
  readonly faults: readonly FieldFault[];
}

/** The payload of a request that was written as `text`: what is not a string is sent as it stands there. */
export function readPayload(request: PublishRequest, text: string): ReadPayload {
  const members = rawMembers(text);
  const names = members.map(({ name }) => name);
  const doubled = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  const faults = [...doubled].map((field) => ({ field, rule: 'must be given once' }));
  const raw = members.find(({ name }) => name === 'payload');
  if (raw !== undefined && raw.depth > maxPayloadDepth)
    faults.push({
      field: 'payload',
      rule: `must be nested at most ${maxPayloadDepth} levels deep`,
    });
  if (request.payloadBase64 !== undefined)
    return { payload: Buffer.from(request.payloadBase64, 'base64'), faults };
  const sent = typeof request.payload === 'string' ? request.payload : (raw?.text ?? '');
  return { payload: Buffer.from(sent, 'utf8'), faults };
}

export interface PlanContext {
  readonly principal: Principal;
  readonly nowMs: number;
  /** What the broker does not take. */
  readonly brokerRules: BrokerRules;
  /** Topic for replies where neither request nor broker say one; `{topic}` and `{commandId}` in it are filled in. */
  readonly replyTopic: string | undefined;
  /** Of the request; the device gets it, and who makes spans of the command goes on with it. */
  readonly trace?: TraceContext | undefined;
  /** Makes the correlation data of a command that awaits a reply: nobody may guess it. */
  readonly correlationData: () => Uint8Array;
}

/** A command as the ledger and the queue get it. */
export interface PlannedCommand {
  readonly ok: true;
  readonly entry: LedgerEntry;
  readonly queued: QueuedCommand;
}

export type Plan = PlannedCommand | { readonly ok: false; readonly problem: Problem };

/** The command that `request` makes under `id`, if the caller may send it. */
export function planCommand(
  request: PublishRequest,
  payload: Uint8Array,
  id: string,
  context: PlanContext,
): Plan {
  const { principal, nowMs, brokerRules, correlationData } = context;
  const topic = expandTopic(request.topic, id);
  const awaitsReply = request.waitFor === 'reply';
  const responseTopic = responseTopicOf(request, topic, id, context);
  const isById =
    awaitsReply && responseTopic !== undefined && repliesById(responseTopic, brokerRules);
  const jsonId = isById ? jsonIdOf(payload) : undefined;
  const faults = [
    ...publicationFaults(
      { topic, payloadBytes: payload.byteLength, qos: request.qos, retain: request.retain },
      brokerRules,
    ),
    ...responseFaults(responseTopic, awaitsReply, brokerRules),
    ...(awaitsReply && !isById ? unseenReplyFaults(request, topic, id, context) : []),
    ...(isById && jsonId === undefined ? [{ field: 'payload', rule: jsonIdRule }] : []),
  ];
  if (faults.length > 0)
    return { ok: false, problem: problem('invalid-request', undefined, faults) };

  const deletesRetained = request.retain && payload.byteLength === 0;
  const needed: (readonly [Right, string])[] = [
    ['publish', topic],
    // A device would publish there for the caller.
    ...(request.responseTopic === undefined ? [] : [['publish', responseTopic ?? ''] as const]),
    ...(deletesRetained ? [['delete', topic] as const] : []),
  ];
  const lacking = needed.find(([right, on]) => !principal.can(right, on));
  if (lacking !== undefined) return { ok: false, problem: lack(...lacking) };

  const ownCorrelation = jsonId === undefined ? correlationData() : Buffer.from(jsonId);
  const correlation = awaitsReply ? ownCorrelation : givenCorrelation(request);
  const properties: MessageProperties = {
    ...(request.contentType !== undefined && { contentType: request.contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlation !== undefined && { correlationData: correlation }),
    ...(request.userProperties !== undefined && { userProperties: request.userProperties }),
  };
  if (
    itemBytes({ topic: { S: topic }, properties: { M: propertiesItem(properties) } }) >
    maxPropertiesBytes
  )
    return invalidField(
      'userProperties',
      `must be at most ${maxPropertiesBytes} bytes together with the topic and the other properties`,
    );
  if (payload.byteLength > maxPublishBodyBytes)
    return {
      ok: false,
      problem: problem('body-too-large', `a payload has at most ${maxPublishBodyBytes} bytes`),
    };

  const caller = callerDigest(principal.id);
  const createdAt = new Date(nowMs).toISOString();
  const expirySeconds = request.expirySeconds ?? defaultExpirySeconds;
  const deadline = new Date(nowMs + expirySeconds * 1000).toISOString();
  const { qos, retain } = request;
  return {
    ok: true,
    entry: {
      id,
      topic: request.topic,
      status: 'pending',
      qos,
      retain,
      createdAt,
      deadline,
      awaitsReply,
      caller,
      ...(awaitsReply && responseTopic !== undefined && { responseTopic }),
      ...(awaitsReply && correlation !== undefined && { correlationData: correlation }),
      history: [{ status: 'pending', at: createdAt }],
    },
    queued: {
      id,
      topic,
      payload,
      qos,
      retain,
      properties: traced(properties, context.trace),
      deadline,
      expiresAtBroker: request.expirySeconds !== undefined,
      expirySeconds,
      awaitsReply,
      caller,
    },
  };
}

/** With the trace context as the user properties of MQTT 5, where the caller has not said another. */
function traced(properties: MessageProperties, trace: PlanContext['trace']): MessageProperties {
  const { userProperties = [] } = properties;
  if (trace === undefined || userProperties.some(([name]) => name === 'traceparent'))
    return properties;
  const { traceparent, tracestate } = trace;
  return {
    ...properties,
    userProperties: [
      ...userProperties,
      ['traceparent', traceparent],
      ...(tracestate === undefined ? [] : [['tracestate', tracestate] as const]),
    ],
  };
}

const defaultReplyTopic = 'causeway/replies/{commandId}';

/** That of the request; where a reply is waited for, else that of the broker, else our own. */
function responseTopicOf(
  { responseTopic, waitFor }: PublishRequest,
  topic: string,
  id: string,
  { brokerRules, replyTopic }: PlanContext,
): string | undefined {
  if (responseTopic !== undefined) return expandTopic(responseTopic, id, topic);
  if (waitFor !== 'reply') return undefined;
  return (
    replyTopicOf(topic, id, brokerRules) ?? expandTopic(replyTopic ?? defaultReplyTopic, id, topic)
  );
}

/** A device publishes to it, and where the reply is waited for the bridge subscribes to it. */
function responseFaults(
  responseTopic: string | undefined,
  awaitsReply: boolean,
  rules: BrokerRules,
): FieldFault[] {
  if (responseTopic === undefined) return [];
  const fault = topicFault(responseTopic);
  const broken = new Set([
    ...(fault === undefined ? [] : [fault]),
    ...publishTopicFaults(responseTopic, rules),
    ...(awaitsReply ? filterFaults(responseTopic, rules) : []),
  ]);
  return [...broken].map((rule) => ({ field: 'responseTopic', rule }));
}

/**
 * What keeps a reply from ever coming where the broker carries no response topic to the device: it has to know where to
 * answer without being told, by the broker's rules, by the config, or by what the caller has agreed with it.
 */
function unseenReplyFaults(
  { responseTopic }: PublishRequest,
  topic: string,
  id: string,
  { brokerRules, replyTopic }: PlanContext,
): FieldFault[] {
  if (brokerRules.responseTopics !== false) return [];
  const known = responseTopic ?? replyTopicOf(topic, id, brokerRules) ?? replyTopic;
  if (known === undefined)
    return [
      {
        field: 'responseTopic',
        rule: 'must be given with waitFor "reply": on MQTT 3.1.1, which the broker has, a device is not told where to answer',
      },
    ];
  if (expandTopic(known, id).includes(id)) return [];
  return [
    {
      field: 'responseTopic',
      rule: `must contain ${commandIdPlaceholder} with waitFor "reply": on MQTT 3.1.1, which the broker has, nothing else tells whose reply it is`,
    },
  ];
}

function givenCorrelation({ correlationDataBase64 }: PublishRequest): Uint8Array | undefined {
  return correlationDataBase64 === undefined
    ? undefined
    : Buffer.from(correlationDataBase64, 'base64');
}

function invalidField(field: string, rule: string): Plan {
  return { ok: false, problem: problem('invalid-request', undefined, [{ field, rule }]) };
}

/** Whether the caller may know of a command: they could have sent it, or read what is published there. */
export function maySee(
  principal: Principal,
  { id, topic }: Pick<LedgerEntry, 'id' | 'topic'>,
): boolean {
  const expanded = expandTopic(topic, id);
  return principal.can('read', expanded) || principal.can('publish', expanded);
}
