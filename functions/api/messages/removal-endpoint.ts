// DELETE /v1/messages: messages of a topic, away for good.
import * as z from 'zod';
import { timeText } from '../../contract/time.ts';
import { maxDeletions } from '../../table/deletion.ts';
import { adminEndpoint, type Endpoint, invalid, type Operation } from '../interface/operation.ts';
import { timeParameter, topicParameter } from '../interface/parameters.ts';
import type { RemoveMessages } from './removal.ts';

const tooMany = `must have a deletion already: there are ${maxDeletions}. Without \`from\`, a deletion takes the place of all before it of its topic`;

const query = z.strictObject({
  topic: topicParameter,
  from: timeParameter
    .optional()
    .describe('First time of receipt that is deleted; all before `to` without it.'),
  to: timeParameter
    .optional()
    .describe('First time of receipt that is not; now by default, and not later.'),
});

const deleteMessages = {
  id: 'deleteMessages',
  method: 'delete',
  path: '/v1/messages',
  tag: 'Messages',
  summary: 'Delete messages of a topic',
  description:
    'From the answer on nobody can read them, nor does a replay send them, also what is stored of these times later. Messages that are stored by themselves are taken away; `isComplete` is false where the time did not suffice for all of them: then call again. Messages of routes that store them packed leave the index with time, and the log when they expire. Copies that handlers got, dead letters and backups stay. Deletions of a topic that overlap are one. For tokens that may do everything.',
  query,
  // What it takes away costs as much as writing it: so many commands may be as few as one batch, or thousands of messages.
  commands: () => 50,
  answers: {
    200: {
      description: 'They are deleted.',
      content: {
        'application/json': z
          .strictObject({
            messages: z.int().min(0).describe('Single messages that this call took away.'),
            isComplete: z.boolean().describe('Whether none of them is left.'),
          })
          .meta({ id: 'DeletedMessages' }),
      },
    },
  },
  problems: ['forbidden'],
} satisfies Operation<unknown, z.output<typeof query>>;

export function removalEndpoint(remove: RemoveMessages, now: () => number = Date.now): Endpoint {
  return adminEndpoint(deleteMessages, async ({ query: { topic, from, to } }) => {
    const nowText = timeText(now());
    const fault = (field: string, rule: string) => invalid([{ field, rule }]);
    // Otherwise messages that are still to come would be hidden.
    if (to !== undefined && to > nowText) return fault('to', 'must not be in the future');
    const end = to ?? nowText;
    if (from !== undefined && from >= end) return fault('from', 'must be before `to`');
    const removed = await remove({ topic, from, to: end });
    return removed === undefined ? fault('topic', tooMany) : Response.json(removed);
  });
}
