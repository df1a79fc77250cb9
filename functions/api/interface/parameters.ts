// Parameters that several operations share.
import * as z from 'zod';
import { defaultMaxTopicLevels } from '../../contract/broker-rules.ts';
import { timeText } from '../../contract/time.ts';
import { filterFault, topicFault } from '../../contract/topic.ts';

export const topicParameter = z
  .string('is required')
  .superRefine((topic, context) => {
    const fault = topicFault(topic);
    const isFilter = /[+#]/.test(topic) && filterFault(topic) === undefined;
    const instead = isFilter ? ': for filters there are /v1/messages/latest and /v1/replay' : '';
    if (fault !== undefined) context.addIssue(`${fault}${instead}`);
  })
  .meta({ description: 'A topic name: no wildcards.', examples: ['demo/kitchen/temperature'] });

/** A topic filter; one of a shared subscription is none, as it says who receives and not what. */
export const filterParameter = z
  .string()
  .superRefine((filter, context) => {
    const shared = 'must not be a shared subscription: leave out $share and its group';
    const levels = filter.split('/', defaultMaxTopicLevels + 1).length;
    const deep = `must have at most ${defaultMaxTopicLevels} levels`;
    const fault =
      levels > defaultMaxTopicLevels
        ? deep
        : filter.startsWith('$share/')
          ? shared
          : filterFault(filter);
    const encoded = filter === '' ? ': in a URL, # is written as %23' : '';
    if (fault !== undefined) context.addIssue(`${fault}${encoded}`);
  })
  .meta({
    description:
      'A topic filter, with the wildcards `+` and `#`. What the token may not read is left out.',
    examples: ['demo/+/temperature'],
  });

/** Entries in an answer whose caller says no number. */
export const defaultLimit = 100;

const limitRule = 'must be a whole number from 1 to 1000';

/** Maximum entries in an answer, as a query parameter. */
export const limitParameter = z
  .string()
  .regex(/^\d{1,4}$/, limitRule)
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= 1000, limitRule)
  .meta({ type: 'integer', minimum: 1, maximum: 1000 })
  .default(defaultLimit)
  .describe('Maximum entries in the answer; it may have fewer although there are more.');

/** The same in a JSON body. */
export const limitField = z
  .int(limitRule)
  .min(1, limitRule)
  .max(1000, limitRule)
  .default(defaultLimit)
  .describe('Maximum entries in the answer; it may have fewer although there are more.');

export const cursorParameter = z
  .string()
  .max(8192)
  .optional()
  .describe('`nextCursor` of the page before, of the same list with the same parameters.');

/** Of a list's answer. */
export const nextCursorField = z
  .string()
  .optional()
  .describe('Give it as `cursor` to get the next page; absent on the last one.');

/** Of a list's answer. */
export const hintField = z
  .string()
  .optional()
  .describe('What probably happened where the list is empty: a wildcard that was not encoded.');

/** An RFC 3339 time with offset, as UTC with microseconds: the form that sort keys start with. */
export const timeParameter = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time, such as 2026-01-31T12:00:00Z' })
  .transform((text) => {
    const timeMs = Date.parse(text);
    // An offset leads out of the four digits of a year, and the text of such a time sorts before all others.
    if (timeMs < firstTimeMs) return timeText(firstTimeMs);
    if (timeMs > lastTimeMs) return lastTimeText;
    const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
    return `${new Date(timeMs).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
  });

const firstTimeMs = Date.parse('0000-01-01T00:00:00Z');
const lastTimeText = '9999-12-31T23:59:59.999999Z';
const lastTimeMs = Date.parse(lastTimeText);
