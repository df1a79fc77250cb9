// /v1/messages/series: numbers in a topic's payloads over time, for curves.
import * as z from 'zod';
import { timeText } from '../../contract/time.ts';
import { type StoredMessages, timeRange } from '../../reading/stored-messages.ts';
import { chunkedPayloadOf } from '../../table/item.ts';
import { missing } from '../access/scopes.ts';
import type { Cursors } from '../interface/cursor.ts';
import { answerList } from '../interface/list.ts';
import { type Endpoint, endpoint, invalid, type Operation } from '../interface/operation.ts';
import { maxQueriesPerPage } from '../interface/page.ts';
import {
  cursorParameter,
  nextCursorField,
  timeParameter,
  topicParameter,
} from '../interface/parameters.ts';
import { type SeriesOfField, SeriesReduction } from './series.ts';

const maxFields = 10;
const maxFieldLength = 256;
/** Steps between `from` and `to`. */
const maxSteps = 1000;
const defaultSteps = 60;
const stepRule = 'must be a whole number of seconds from 1 to 86400';
const fieldsRule = `must be 1 to ${maxFields} different names of up to ${maxFieldLength} characters, joined by commas`;

const seriesQuery = z.strictObject({
  topic: topicParameter,
  fields: z
    .string()
    .max(maxFields * (maxFieldLength + 1), fieldsRule)
    .transform((text) => text.split(','))
    .refine(
      (fields) =>
        fields.length <= maxFields &&
        new Set(fields).size === fields.length &&
        fields.every((field) => field !== '' && field.length <= maxFieldLength),
      fieldsRule,
    )
    .optional()
    .meta({
      description:
        'Fields of JSON payloads, with dots where they are nested, such as `battery.volts`; without it, payloads that are numbers themselves.',
      examples: ['celsius'],
    }),
  from: timeParameter
    .optional()
    .describe(`First time of receipt; by default ${defaultSteps} steps before \`to\`.`),
  to: timeParameter
    .optional()
    .describe('First time of receipt that no longer belongs to it; now by default.'),
  step: z
    .string()
    .regex(/^\d{1,5}$/, stepRule)
    .transform(Number)
    .refine((step) => step >= 1 && step <= 86_400, stepRule)
    .meta({ type: 'integer', minimum: 1, maximum: 86_400 })
    .default(60)
    .describe('Seconds that one point stands for; steps are counted from 1970.'),
  cursor: cursorParameter,
});

const number = z.number();

const readSeries = {
  id: 'readMessageSeries',
  method: 'get',
  path: '/v1/messages/series',
  tag: 'Messages',
  summary: 'Numbers in the payloads of a topic, as curves',
  description: `Minimum, mean, maximum and count for each step, of at most ${maxSteps} steps. It reads the messages: up to 256 read units, which are 1 to 2 MB of messages that are stored by themselves. Where there are more it has a \`nextCursor\`, and the first step of what follows may be the last one of this answer: their counts add up. Messages of one step come in order, each once, also where copies of it are stored. What is stored late, as after an outage of the handler, belongs to the step of its receipt: a step that was read before is another one when it is read again, and a later page does not go back to it.`,
  query: seriesQuery,
  answers: {
    200: {
      description: 'The points of each field.',
      content: {
        'application/json': z
          .strictObject({
            topic: z.string(),
            stepSeconds: z.int(),
            series: z.array(
              z.strictObject({
                field: z.string().optional().describe('Absent where it is the payload itself.'),
                points: z
                  .array(
                    z.strictObject({
                      at: z.iso.datetime().describe('Start of the step.'),
                      min: number,
                      mean: number,
                      max: number,
                      count: z.int().min(1),
                    }),
                  )
                  .describe('Steps without a number have none.'),
              }),
            ),
            nextCursor: nextCursorField,
          })
          .meta({ id: 'MessageSeries' }),
      },
    },
  },
  problems: ['forbidden'],
} satisfies Operation<unknown, z.output<typeof seriesQuery>>;

/** What is served here, as types: a client is checked against them. */
export type SeriesOperations = typeof readSeries;

export function seriesEndpoint(
  stored: StoredMessages,
  cursors: Cursors,
  now: () => number = Date.now,
): Endpoint {
  return endpoint(readSeries, ({ principal, query, spending: { budget } }) => {
    const { topic, fields, step: stepSeconds } = query;
    if (!principal.can('read', topic)) return missing('read', topic);
    const to = query.to ?? timeText(now());
    const from =
      query.from ?? timeText(Math.max(0, Date.parse(to) - defaultSteps * stepSeconds * 1000));
    if (from >= to) return invalid([{ field: 'from', rule: 'must be before `to`' }]);
    if (Date.parse(to) - Date.parse(from) > maxSteps * stepSeconds * 1000)
      return invalid([{ field: 'step', rule: `must make at most ${maxSteps} steps of the time` }]);
    return answerList<SeriesOfField>(
      {
        name: 'series',
        principal,
        selection: { ...query, limit: maxSteps },
        async read(after) {
          const reduction = new SeriesReduction(stepSeconds, fields);
          const steps = stored.messageSteps(
            topic,
            { ...timeRange(from, to), after },
            { maxQueries: maxQueriesPerPage, budget },
          );
          let passed = after;
          for (;;) {
            const { done, value } = await steps.next();
            const entries = reduction.series;
            // A bare time sorts before all of its moment: nothing was read behind it.
            if (done === true) return value ? { entries } : { entries, next: passed ?? from };
            const { key, item } = value;
            if (item !== undefined) {
              const isFirst = passed === after;
              const isApart = chunkedPayloadOf(item) !== undefined;
              if (!isFirst && isApart && !(await budget.mayRead()))
                return { entries, next: passed ?? from };
              const { time, payload } = await stored.whole(item, budget);
              reduction.add(Date.parse(time), payload);
            }
            passed = key;
          }
        },
        render: (series, nextCursor) => Response.json({ topic, stepSeconds, series, nextCursor }),
      },
      cursors,
    );
  });
}
