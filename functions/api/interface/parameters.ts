// Parameters that several operations share.
import * as z from 'zod';
import { filterFault, topicFault } from '../../contract/topic.ts';

export const topicParameter = z
  .string('is required')
  .superRefine((topic, context) => {
    const fault = topicFault(topic);
    if (fault !== undefined) context.addIssue(fault);
  })
  .meta({ description: 'A topic name: no wildcards.', examples: ['devices/lamp-7/state'] });

/** A topic filter; one of a shared subscription is none, as it says who receives and not what. */
export const filterParameter = z
  .string()
  .superRefine((filter, context) => {
    const shared = 'must not be a shared subscription: leave out $share and its group';
    const fault = filter.startsWith('$share/') ? shared : filterFault(filter);
    if (fault !== undefined) context.addIssue(fault);
  })
  .meta({
    description:
      'A topic filter, with the wildcards `+` and `#`. What the token may not read is left out.',
    examples: ['devices/+/state'],
  });

const limitRule = 'must be a whole number from 1 to 1000';

/** Most entries in an answer, as a query parameter. */
export const limitParameter = z
  .string()
  .regex(/^\d{1,4}$/, limitRule)
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= 1000, limitRule)
  .meta({ type: 'integer', minimum: 1, maximum: 1000 })
  .default(100)
  .describe('Most entries in the answer; it may have fewer although there are more.');

/** The same in a JSON body. */
export const limitField = z
  .int(limitRule)
  .min(1, limitRule)
  .max(1000, limitRule)
  .default(100)
  .describe('Most entries in the answer; it may have fewer although there are more.');

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

/** An RFC 3339 time with offset, as UTC with microseconds: the form that sort keys start with. */
export const timeParameter = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time, such as 2026-01-31T12:00:00Z' })
  .transform((text) => {
    const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
    return `${new Date(text).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
  });
