// The config's section `deadLetters`: how long they are kept, and how many.
import * as z from 'zod';

export const deadLettersSchema = z.strictObject({
  retentionDays: z.int().min(1).max(3650).default(365).describe('Days that dead letters are kept'),
  maxPerTopic: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe(
      'Maximum dead letters of one topic in one route: of more, the oldest are deleted, counted and logged',
    ),
});

export type DeadLetterLimits = z.output<typeof deadLettersSchema>;

export const defaultDeadLetterLimits: DeadLetterLimits = deadLettersSchema.parse({});
