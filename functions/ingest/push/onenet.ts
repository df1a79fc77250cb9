// What OneNET pushes, as messages: the body of a push taken apart, its signature checked, each entry given its topic,
// time and id. No input or output.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Message } from '../../contract/message.ts';
import { type OneNetTopicKind, oneNetTopic } from '../../contract/onenet-topics.ts';
import { jsonOrUndefined, parseWith } from '../../contract/parse.ts';
import { type FieldFault, type Problem, problem } from '../../contract/problem.ts';
import { rawElements, rawMembers } from '../../contract/raw-json.ts';
import { timeText } from '../../contract/time.ts';
import { decrypt, isSigned } from './onenet-signature.ts';

export interface OneNetPushOptions {
  /** The token of the push, as set at the platform. */
  readonly token: string;
  /** The key of an encrypted push, 16 or 43 characters; without it encrypted pushes are refused. */
  readonly aesKey?: string | undefined;
  /** Product of pushes of the older platform, which name none. Default `older`. */
  readonly productId?: string | undefined;
}

export type Pushed =
  | {
      readonly ok: true;
      readonly messages: Message[];
      /** Of nonce and text, however the rest is written: somebody who has seen the push can send that again, and nothing else. */
      readonly pushId: string;
    }
  | { readonly ok: false; readonly problem: Problem };

/** Maximum messages in one push. */
export const maxPushed = 1000;

/** Maximum arrays and objects around a value. */
const maxDepth = 100;

/**
 * A time that a push tells is used so long: older ones could have expired by the shortest retention, a day, before
 * they are stored, and those of tomorrow would stay on top of their topic.
 */
const maxAgeMs = 12 * 3_600_000;
const maxAheadMs = 5 * 60_000;

const nonce = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 visible ASCII characters');
const signature = z
  .string()
  .regex(/^[A-Za-z0-9+/]{22}(==)?$/, 'must be the base64 of an MD5 digest');

/** The platforms name the parts in two ways, and tell more beside them, which is not signed. */
const bodySchema = z.object({
  nonce,
  signature: signature.optional(),
  msg_signature: signature.optional(),
  msg: z.union([z.string(), z.object({}), z.array(z.unknown())]).optional(),
  enc_msg: z.base64('must be base64').optional(),
});

/** The messages of a push whose body is `text`. */
export function parsePush(text: string, options: OneNetPushOptions, nowMs: number): Pushed {
  const value = jsonOrUndefined(text);
  if (value === undefined) return refused(problem('invalid-json', 'the body must be JSON'));
  const parsed = parseWith(bodySchema, value);
  if (!parsed.ok) return invalid(parsed.faults);
  const body = parsed.value;
  const members = rawMembers(text);
  const twice = members.find((one, at) => members.findIndex(({ name }) => name === one.name) < at);
  if (twice !== undefined) return invalid([{ field: twice.name, rule: 'must be given once' }]);

  const given = body.signature ?? body.msg_signature;
  const signed = body.enc_msg ?? (typeof body.msg === 'string' ? body.msg : undefined);
  const raw = signed ?? members.find(({ name }) => name === 'msg')?.text;
  if (given === undefined) return invalid([{ field: 'signature', rule: 'must be given' }]);
  if (raw === undefined || (body.msg !== undefined && body.enc_msg !== undefined))
    return invalid([{ field: 'msg', rule: 'exactly one of msg and enc_msg must be given' }]);
  if (!isSigned(options.token, { nonce: body.nonce, text: raw, signature: given }))
    return refused(problem('unauthorized', 'the signature does not hold'));

  const plain = plainText(body.enc_msg, raw, options.aesKey);
  if (!plain.ok) return refused(plain.problem);
  const found = messagesOf(plain.text, options, nowMs);
  // As they are signed: with nothing between them.
  const pushId = createHash('sha256').update(body.nonce).update(raw).digest('base64url');
  return found.ok ? { ...found, pushId } : found;
}

type PlainText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem };

/** A text that is JSON already is in plain mode; the newer platform has the ciphertext in `msg` too. */
function plainText(encrypted: string | undefined, text: string, aesKey?: string): PlainText {
  if (encrypted === undefined && /^\s*[[{]/.test(text)) return { ok: true, text };
  const fault = (detail: string): PlainText => ({
    ok: false,
    problem: problem('invalid-request', detail),
  });
  if (aesKey === undefined)
    return fault(
      'the push is encrypted, and no AES key is set here: set it, or push in plain mode',
    );
  const decrypted = decrypt(text, aesKey);
  return decrypted.ok ? decrypted : fault('the push cannot be decrypted with the AES key set here');
}

type Messages =
  | { readonly ok: true; readonly messages: Message[] }
  | { readonly ok: false; readonly problem: Problem };

function messagesOf(text: string, options: OneNetPushOptions, nowMs: number): Messages {
  const value = jsonOrUndefined(text);
  if (typeof value !== 'object' || value === null)
    return refused(problem('invalid-json', 'the message must be a JSON object, or a list of them'));
  const entries = Array.isArray(value) ? rawElements(text).map((entry) => entry.text) : [text];
  if (entries.length > maxPushed)
    return refused(problem('body-too-large', `at most ${maxPushed} messages in a push`));
  const messages: Message[] = [];
  const faults: FieldFault[] = [];
  for (const [index, entry] of entries.entries()) {
    const found = messageOf(entry, options, nowMs);
    if (found.ok) messages.push(found.message);
    else faults.push({ field: `msg.${index}${found.field}`, rule: found.rule });
  }
  return faults.length === 0 ? { ok: true, messages } : invalid(faults);
}

/** What is needed of an entry: of the things model, of the rule engine, and of the older platform. */
const entrySchema = z.object({
  productId: z.string().optional(),
  deviceName: z.string().optional(),
  messageType: z.string().optional(),
  notifyType: z.string().optional(),
  data: z.object({}).loose().optional(),
  dev_id: z.union([z.int(), z.string()]).optional(),
  type: z.unknown().optional(),
  at: z.unknown().optional(),
  timestamp: z.unknown().optional(),
});

type Entry = z.output<typeof entrySchema>;

type Found =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly field: string; readonly rule: string };

function messageOf(text: string, options: OneNetPushOptions, nowMs: number): Found {
  const parsed = entrySchema.safeParse(JSON.parse(text));
  if (!parsed.success)
    return { ok: false, field: '', rule: 'must be an object in one of the forms of OneNET' };
  const entry = parsed.data;
  const device = entry.deviceName ?? (entry.dev_id === undefined ? '' : String(entry.dev_id));
  const productId = entry.productId ?? options.productId ?? 'older';
  const { kind, type } = kindOf(entry);
  const topic = oneNetTopic(kind, { productId, device, type });
  if (topic === undefined)
    return {
      ok: false,
      field: '',
      rule: 'must name a product and a device, in letters and digits',
    };
  const body = payloadOf(kind, text);
  if (body === undefined)
    return { ok: false, field: '', rule: `must be nested less than ${maxDepth} levels` };
  const timeMs = sentAtMs(entry);
  const isUsable =
    timeMs !== undefined && timeMs >= nowMs - maxAgeMs && timeMs <= nowMs + maxAheadMs;
  const id = createHash('sha256').update(topic).update('\n').update(text).digest('base64url');
  return {
    ok: true,
    message: {
      id,
      source: `onenet:push/${productId}`,
      topic,
      time: timeText(isUsable ? timeMs : nowMs),
      payload: Buffer.from(body, 'utf8'),
      qos: 1,
      retain: false,
      // Pushed again, it lands on its own item by its time; without that, it has to be looked for by its id.
      ...(!isUsable && {
        possibleDuplicate: true,
        properties: { userProperties: [['id', id]] as const },
      }),
    },
  };
}

/** Which topic an entry belongs on: where the device has published it, or one of ours for what no device publishes. */
function kindOf(entry: Entry): { readonly kind: OneNetTopicKind; readonly type: string } {
  const { messageType, notifyType } = entry;
  if (messageType === 'notify' && entry.data !== undefined) {
    if (notifyType === 'property') return { kind: 'propertyPost', type: '' };
    if (notifyType === 'event') return { kind: 'eventPost', type: '' };
  }
  if (messageType !== undefined) return { kind: 'pushed', type: messageType };
  return { kind: 'pushed', type: olderTypes.get(entry.type) ?? `type-${String(entry.type)}` };
}

/** `type` of an entry of the older platform. */
const olderTypes = new Map<unknown, string>([
  [1, 'dataPoint'],
  [2, 'lifeCycle'],
  [7, 'commandResult'],
]);

/** What a device has published, as it published it; anything else as the platform pushed it. */
function payloadOf(kind: OneNetTopicKind, text: string): string | undefined {
  const members = rawMembers(text);
  if (members.some(({ depth }) => depth > maxDepth)) return undefined;
  return kind === 'pushed' ? text : members.find(({ name }) => name === 'data')?.text;
}

/** Milliseconds since 1970 that an entry tells: the newest of its values, or when it was sent. */
function sentAtMs({ data, at, timestamp }: Entry): number | undefined {
  const params: unknown = data?.['params'];
  const values = typeof params === 'object' && params !== null ? Object.values(params) : [];
  const times = [data?.['time'], at, timestamp, ...values.map(timeIn)].filter(
    (time) => typeof time === 'number' && Number.isSafeInteger(time),
  );
  return times.length === 0 ? undefined : Math.max(...(times as number[]));
}

function timeIn(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'time' in value ? value.time : undefined;
}

function invalid(faults: readonly FieldFault[]): Refused {
  return refused(problem('invalid-request', undefined, faults));
}

interface Refused {
  readonly ok: false;
  readonly problem: Problem;
}

function refused(fault: Problem): Refused {
  return { ok: false, problem: fault };
}
