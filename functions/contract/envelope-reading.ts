// Reads the message in an envelope from outside. The schema in `envelope-decoding.ts` says what an envelope must be. Nearly all
// have only the attributes that every message has. They are checked here, in a quarter of the time that the schema takes.
import {
  decodeEnvelope,
  type Envelope,
  envelopeSchema,
  isTime,
  stampForm,
} from './envelope-decoding.ts';
import { messageEventTypes } from './event-version.ts';
import { type Message, maxIdBytes, maxPacketId, maxSourceLength } from './message.ts';
import { type Parsed, parseWith } from './parse.ts';
import { topicFault } from './topic.ts';

/** The message in what was parsed from JSON, or which rules of {@link envelopeSchema} it breaks. */
export function messageIn(candidate: unknown): Parsed<Message> {
  const ordinary = ordinaryMessage(candidate);
  if (ordinary !== undefined) return { ok: true, value: ordinary };
  const parsed = parseWith(envelopeSchema, candidate);
  return parsed.ok ? { ok: true, value: decodeEnvelope(parsed.value) } : parsed;
}

type Candidate = { readonly [Name in keyof Envelope]?: unknown };

/** Undefined where the schema has to decide: where there are other attributes, and where a rule may be broken. */
function ordinaryMessage(candidate: unknown): Message | undefined {
  if (typeof candidate !== 'object' || candidate === null) return undefined;
  const envelope = candidate as Candidate;
  const { id, source, subject: topic, time, qos, retain, packetid: packetId } = envelope;
  if (
    envelope.specversion !== '1.0' ||
    (envelope.type !== messageEventTypes[1] && envelope.type !== messageEventTypes[2]) ||
    typeof id !== 'string' ||
    !isPlainId(id) ||
    typeof source !== 'string' ||
    !isSource(source) ||
    typeof topic !== 'string' ||
    topicFault(topic) !== undefined ||
    typeof time !== 'string' ||
    !stampForm.test(time) ||
    !isTime(time) ||
    (qos !== 0 && qos !== 1 && qos !== 2) ||
    typeof retain !== 'boolean' ||
    (packetId !== undefined && !isPacketId(packetId)) ||
    hasMore(envelope)
  )
    return undefined;
  const payload = payloadIn(envelope);
  if (payload === undefined) return undefined;
  if (packetId === undefined) return { id, source, topic, time, payload, qos, retain };
  return { id, source, topic, time, payload, qos, retain, packetId };
}

function payloadIn({ data, data_base64: base64 }: Candidate): Buffer | undefined {
  if (typeof data === 'string' && base64 === undefined)
    return data.isWellFormed() ? Buffer.from(data) : undefined;
  if (typeof base64 !== 'string' || data !== undefined) return undefined;
  const payload = Buffer.from(base64, 'base64');
  // Node passes over what is not base64.
  return payload.toString('base64') === base64 ? payload : undefined;
}

/** In characters, each of which takes at most three bytes. */
const maxPlainIdLength = Math.floor(maxIdBytes / 3);

function isPlainId(id: string): boolean {
  return id !== '' && id.length <= maxPlainIdLength && id.isWellFormed();
}

let lastSource = '';

/** All messages of a session have one source: mostly it is that of the message before. */
function isSource(source: string): boolean {
  if (source === lastSource && source !== '') return true;
  if (source === '' || source.length > maxSourceLength || !source.isWellFormed()) return false;
  lastSource = source;
  return true;
}

function isPacketId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxPacketId;
}

function hasMore(envelope: Candidate): boolean {
  return (
    envelope.producerid !== undefined ||
    envelope.receivedafter !== undefined ||
    envelope.possibleduplicate !== undefined ||
    envelope.contenttype !== undefined ||
    envelope.responsetopic !== undefined ||
    envelope.correlationdata !== undefined ||
    envelope.userproperties !== undefined ||
    envelope.messageexpiry !== undefined ||
    envelope.payloadformat !== undefined
  );
}
