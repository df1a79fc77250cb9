// How commands look to a caller, and which status an answer about one has.
import * as z from 'zod';
import {
  commandErrorSchema,
  commandStatusSchema,
  type Reply,
  type WaitFor,
} from '../../contract/command.ts';
import type { LedgerEntry } from '../../contract/command-item.ts';
import { isProblemCode, type Problem, problem } from '../../contract/problem.ts';
import {
  contentTypeField,
  payloadFields,
  payloadMember,
  userPropertiesField,
} from '../messages/representation.ts';

const time = z.iso.datetime();

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
    .boolean()
    .optional()
    .describe(
      'False where the broker said that nobody was subscribed; absent where it did not tell.',
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
  const { sentAt, hadSubscribers, error } = entry;
  // What is undefined JSON leaves out.
  const expiresAt = deadline;
  return { id, topic, status, qos, retain, createdAt, expiresAt, sentAt, hadSubscribers, error };
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
