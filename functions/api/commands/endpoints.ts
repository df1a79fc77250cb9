// GET /v1/commands and /v1/commands/{id}: what became of commands; and with those that publish, all on commands.
import * as z from 'zod';
import { commandStatusSchema } from '../../contract/command.ts';
import { problem, problemResponse } from '../../contract/problem.ts';
import { isCommandId } from '../../table/command-id.ts';
import { type LedgerEntry, statusesOfAllTopics } from '../../table/command-item.ts';
import { missing } from '../access/scopes.ts';
import type { Cursors } from '../interface/cursor.ts';
import { answerList, asJsonList } from '../interface/list.ts';
import { type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import {
  cursorParameter,
  limitParameter,
  nextCursorField,
  topicParameter,
} from '../interface/parameters.ts';
import { maySee } from './plan.ts';
import { publishEndpoints } from './publish.ts';
import type { Commands } from './service.ts';
import {
  commandJson,
  commandSchema,
  commandWithHistoryJson,
  commandWithHistorySchema,
} from './view.ts';

const commandParams = z.object({
  id: z
    .string()
    .refine(isCommandId)
    .meta({
      description: 'As the answer to publishing gave it.',
      examples: ['019c13f5-6c00-7000-8000-000000000000-95cd0a3ddc6cbd2b'],
    }),
});

const getCommand = {
  id: 'getCommand',
  method: 'get',
  path: '/v1/commands/{id}',
  tag: 'Commands',
  summary: 'A command and its history',
  description:
    'Kept for 30 days after it expires. It needs the right `read` or `publish` on the topic of the command.',
  params: commandParams,
  answers: {
    200: {
      description: 'The command.',
      content: { 'application/json': commandWithHistorySchema },
    },
  },
  problems: ['not-found'],
} satisfies Operation<z.output<typeof commandParams>>;

const isListed = (status: string | undefined) =>
  statusesOfAllTopics.some((listed) => listed === status);

const commandsQuery = z
  .strictObject({
    topic: topicParameter.optional().meta({
      description:
        'The topic that the commands were published with, `{commandId}` as it stood there. Without it, commands of all topics that are `pending`, `failed` or `expired`.',
      examples: ['demo/kitchen/cmd'],
    }),
    status: commandStatusSchema.optional(),
    limit: limitParameter,
    cursor: cursorParameter,
  })
  .superRefine(({ topic, status }, context) => {
    if (topic !== undefined || isListed(status)) return;
    const message = `is required, unless status is one of ${statusesOfAllTopics.join(', ')}`;
    context.addIssue({ code: 'custom', path: ['topic'], message });
  });

const listCommands = {
  id: 'listCommands',
  method: 'get',
  path: '/v1/commands',
  tag: 'Commands',
  summary: 'Commands of a topic, or those that wait, failed or expired, the newest first',
  description:
    'Those that are pending come from the queue: topic by topic, in the order of a digest, and the newest first in each. A page of all topics looks at 100 commands, and leaves out those that the caller may not see: it may be short, or empty, and have a cursor.',
  query: commandsQuery,
  answers: {
    200: {
      description: 'A page of commands.',
      content: {
        'application/json': z
          .strictObject({
            commands: z.array(commandSchema),
            nextCursor: nextCursorField,
          })
          .meta({ id: 'CommandPage' }),
      },
    },
  },
  problems: ['forbidden'],
} satisfies Operation<unknown, z.output<typeof commandsQuery>>;

/** What is served here, as types: a client is checked against them. */
export type CommandOperations = typeof listCommands | typeof getCommand;

export function commandEndpoints(commands: Commands, cursors: Cursors): Endpoint[] {
  return [
    ...publishEndpoints(commands),
    endpoint(listCommands, ({ principal, query, spending: { budget } }) => {
      const isVisible = (entry: LedgerEntry) => maySee(principal, entry);
      const { topic } = query;
      // The same answer whether or not there are such commands.
      if (topic !== undefined && !principal.can('read', topic) && !principal.can('publish', topic))
        return missing('read', topic);
      return answerList(
        {
          name: 'commands',
          principal,
          selection: query,
          read: (after) => commands.list({ ...query, budget }, isVisible, after),
          render: asJsonList('commands', commandJson),
        },
        cursors,
      );
    }),
    endpoint(getCommand, async ({ principal, params, spending: { budget } }) => {
      const entry = await commands.get(params.id, budget);
      // A command that the caller may not see is none.
      if (entry === undefined || !maySee(principal, entry))
        return problemResponse(problem('not-found'));
      return new Response(commandWithHistoryJson(entry), {
        headers: { 'content-type': 'application/json' },
      });
    }),
  ];
}
