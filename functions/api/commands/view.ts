// How commands look to a caller, and which status an answer about one has.
import * as z from 'zod';
import {
  commandErrorSchema,
  commandStatusSchema,
  type Reply,
  type WaitFor,
} from '../../contract/command.ts';
import { isProblemCode, type Problem, problem } from '../../contract/problem.ts';
import type { LedgerEntry } from '../../table/command-item.ts';
import {
  contentTypeField,
  payloadFields,
  payloadMember,
  userPropertiesField,
} from '../messages/representation.ts';

const time = z.iso.datetime();

/** Replies of a bulk request's commands are left out beyond this, in bytes: Lambda answers with at most 6 MB. */
export const maxBulkReplyBytes = 4 * 1024 * 1024;

const replySchema = z
  .strictObject({
    topic: z.string(),
    receivedAt: time,
    contentType: contentTypeField,
    userProperties: userPropertiesField,
    ...payloadFields,
  })
  .meta({ id: 'Reply', description: "A device's answer." });

const commandFields = {
  id: z.string(),
  topic: z.string().describe('As it was given: where `{commandId}` stands in it, the id was put.'),
  status: commandStatusSchema,
  qos: z.int().min(0).max(2),
  retain: z.boolean(),
  createdAt: time.describe('When it was recorded.'),
  expiresAt: time.describe('When it is no longer sent.'),
  sentAt: time.optional().describe('When the broker acknowledged it.'),
  hadSubscribers: z
    .literal(false)
    .optional()
    .describe(
      'Only ever false: the broker said that nobody was subscribed. Without it, nobody knows who has got the message.',
    ),
  awaitsReply: z
    .boolean()
    .optional()
    .describe(
      "Of a command with `waitFor: reply`: whether the device's answer is still waited for, at most until a minute after it expires. Who waits for too many loses the oldest of their own.",
    ),
  error: commandErrorSchema.optional().describe('Why it failed.'),
  reply: replySchema.optional(),
};

export const commandSchema = z
  .strictObject(commandFields)
  .meta({ id: 'Command', description: 'A message to devices, and what became of it.' });

export const commandWithHistorySchema = z
  .strictObject({
    ...commandFields,
    history: z
      .array(z.strictObject({ status: commandStatusSchema, at: time }))
      .describe('The states it has had, in order.'),
  })
  .meta({ id: 'CommandWithHistory', description: 'A command and the states it has had.' });

/** A command as JSON text. */
export function commandJson(entry: LedgerEntry): string {
  return withReply(commandMembers(entry), entry.reply);
}

export function commandWithHistoryJson(entry: LedgerEntry): string {
  return withReply({ ...commandMembers(entry), history: entry.history }, entry.reply);
}

function commandMembers(entry: LedgerEntry) {
  const { id, topic, status, qos, retain, createdAt, deadline } = entry;
  const { sentAt, error } = entry;
  const awaitsReply = entry.responseTopic === undefined ? undefined : entry.awaitsReply;
  // Older items say true too. What is undefined JSON leaves out.
  const hadSubscribers = entry.hadSubscribers === false ? false : undefined;
  return {
    id,
    topic,
    status,
    qos,
    retain,
    createdAt,
    expiresAt: deadline,
    sentAt,
    hadSubscribers,
    awaitsReply,
    error,
  };
}

function withReply(members: object, reply: Reply | undefined): string {
  const head = JSON.stringify(members);
  if (reply === undefined) return head;
  const { topic, receivedAt, contentType, userProperties, payloadBase64 } = reply;
  const replyHead = JSON.stringify({ topic, receivedAt, contentType, userProperties });
  const payload = payloadMember(Buffer.from(payloadBase64, 'base64'));
  return `${head.slice(0, -1)},"reply":${replyHead.slice(0, -1)},${payload}}}`;
}

/** A problem with a command that is recorded, and the command that it is about. */
export interface CommandProblem extends Problem {
  readonly command: { readonly id: string; readonly status: string };
}

/**
 * What a request that waited for a command answers: 200 where that has been reached, 202 where it still can be,
 * or the problem that keeps it from ever being.
 */
export function answerTo(
  { id, status, error }: LedgerEntry,
  waitFor: WaitFor,
): { readonly status: 200 | 202 } | { readonly problem: CommandProblem } {
  if (waitFor === 'none') return { status: 202 };
  const command = { id, status };
  if (status === 'failed') {
    const code = isProblemCode(error?.code) ? error.code : 'broker-refused';
    return { problem: { ...problem(code, error?.detail), command } };
  }
  if (status === 'expired') return { problem: { ...problem('command-expired'), command } };
  const isReached = status === 'answered' || (status === 'sent' && waitFor === 'broker');
  return { status: isReached ? 200 : 202 };
}
