// The config's section `table`: which table it is, and what DynamoDB may take.
import * as z from 'zod';

const unitsPerSecond = z.int().min(10).max(1_000_000).optional();

/** What a new on-demand table bears at once; it grows by itself to twice of what it has had. */
const warmUnits = { read: 12_000, write: 4_000 };

const warmUnitsPerSecond = (minUnits: number) => z.int().min(minUnits).max(1_000_000).optional();

const newTableFields = {
  maxReadUnitsPerSecond: unitsPerSecond.describe(
    'Maximum read units a second, held by DynamoDB; what is above is throttled, ingest and bridge too. By default as many as the account allows',
  ),
  maxWriteUnitsPerSecond: unitsPerSecond.describe(
    'The same for writes: below the rate of messages, it holds them back at the broker',
  ),
  warmReadUnitsPerSecond: warmUnitsPerSecond(warmUnits.read).describe(
    'Read units a second that the table bears at once, where a new one would grow to them in steps of 30 minutes. Paid once. Never lower it',
  ),
  warmWriteUnitsPerSecond: warmUnitsPerSecond(warmUnits.write).describe('The same for writes'),
};

export const tableSchema = z
  .strictObject({
    existingName: z
      .string()
      .regex(/^[\w.-]{3,255}$/, 'must be the name of a table: 3 to 255 letters, digits, _, - or .')
      .optional()
      .describe(
        'Go on with this table, which an earlier stack or a failed first deploy left, and make none',
      ),
    ...newTableFields,
  })
  .superRefine(({ existingName, ...fields }, context) => {
    if (existingName === undefined) return;
    for (const [name, value] of Object.entries(fields))
      if (value !== undefined)
        context.addIssue({
          code: 'custom',
          path: [name],
          message:
            'is a setting of a table that the stack makes: set it at the existing table itself',
        });
  });
