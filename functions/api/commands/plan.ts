// Decides what becomes of a publish request: the command that it makes, or the problem with it. No input or output.
import {
  type BrokerRules,
  filterFaults,
  publicationFaults,
  publishTopicFaults,
  repliesById,
  replyTopicOf,
} from '../../contract/broker-rules.ts';
import { itemBytes } from '../../contract/chunks.ts';
import {
  defaultExpirySeconds,
  expandTopic,
  maxPublishBodyBytes,
  type PublishRequest,
} from '../../contract/command.ts';
import type { LedgerEntry, QueuedCommand } from '../../contract/command-item.ts';
import { propertiesItem } from '../../contract/item-properties.ts';
import { jsonIdOf, jsonIdRule } from '../../contract/json-id.ts';
import type { MessageProperties } from '../../contract/message.ts';
import { type FieldFault, type Problem, problem } from '../../contract/problem.ts';
import { rawMembers } from '../../contract/raw-json.ts';
import { topicFault } from '../../contract/topic.ts';
import type { Principal } from '../access/principal.ts';

/** Most arrays and objects around a value of a payload. */
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
  readonly replyTopic: string;
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
    ...(isById && jsonId === undefined ? [{ field: 'payload', rule: jsonIdRule }] : []),
  ];
  if (faults.length > 0)
    return { ok: false, problem: problem('invalid-request', undefined, faults) };

  const deletesRetained = request.retain && payload.byteLength === 0;
  const mayAll =
    principal.can('publish', topic) &&
    // A device would publish there for the caller.
    (request.responseTopic === undefined || principal.can('publish', responseTopic ?? '')) &&
    (!deletesRetained || principal.can('delete', topic));
  if (!mayAll) return { ok: false, problem: problem('forbidden') };

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
      properties,
      deadline,
      expiresAtBroker: request.expirySeconds !== undefined,
      awaitsReply,
    },
  };
}

/** That of the request; where a reply is waited for, else that of the broker, else our own. */
function responseTopicOf(
  { responseTopic, waitFor }: PublishRequest,
  topic: string,
  id: string,
  { brokerRules, replyTopic }: PlanContext,
): string | undefined {
  if (responseTopic !== undefined) return expandTopic(responseTopic, id, topic);
  if (waitFor !== 'reply') return undefined;
  return replyTopicOf(topic, id, brokerRules) ?? expandTopic(replyTopic, id, topic);
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
