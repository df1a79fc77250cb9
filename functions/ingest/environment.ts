// The environment of the ingest function: every variable once, for the code that reads it and the stack that sets it.
import * as z from 'zod';

export const ingestEnvironmentSchema = z.object({
  /** Name of the table. */
  MESSAGES_TABLE: z.string().min(3),
  /** Days that messages are kept whose route says nothing else. */
  RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  /** Partitions that a topic is spread over; may be raised, never lowered within the retention. */
  WRITE_SHARDS: z.coerce.number().int().min(1).max(32).default(1),
});

export type IngestVariable = keyof typeof ingestEnvironmentSchema.shape;
