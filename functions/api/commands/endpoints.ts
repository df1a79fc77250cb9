// GET /v1/commands and /v1/commands/{id}: what became of commands; and with those that publish, all on commands.
import * as z from 'zod';
import { commandStatusSchema } from '../../contract/command.ts';
import { isCommandId } from '../../contract/command-item.ts';
import { problem, problemResponse } from '../../contract/problem.ts';
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

const commandsQuery = z.strictObject({
  topic: topicParameter.meta({
    description:
      'The topic that the commands were published with, `{commandId}` as it stood there.',
    examples: ['devices/lamp-7/cmd'],
  }),
  status: commandStatusSchema.optional(),
  limit: limitParameter,
  cursor: cursorParameter,
});

const listCommands = {
  id: 'listCommands',
  method: 'get',
  path: '/v1/commands',
  tag: 'Commands',
  summary: 'Commands of a topic, the newest first',
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

export function commandEndpoints(commands: Commands, cursors: Cursors): Endpoint[] {
  return [
    ...publishEndpoints(commands),
    endpoint(listCommands, ({ principal, query }) => {
      const { topic } = query;
      // The same answer whether or not there are such commands.
      if (!principal.can('read', topic) && !principal.can('publish', topic))
        return problemResponse(problem('forbidden'));
      return answerList(
        {
          name: 'commands',
          principal,
          selection: query,
          read: (after) => commands.list(query, (entry) => maySee(principal, entry), after),
          render: asJsonList('commands', commandJson),
        },
        cursors,
      );
    }),
    endpoint(getCommand, async ({ principal, params }) => {
      const entry = await commands.get(params.id);
      // A command that the caller may not see is none.
      if (entry === undefined || !maySee(principal, entry))
        return problemResponse(problem('not-found'));
      return new Response(commandWithHistoryJson(entry), {
        headers: { 'content-type': 'application/json' },
      });
    }),
  ];
}
