// The environment of the ingest function: every variable once, for the code that reads it and the stack that sets it.
import * as z from 'zod';
import type { OneNetPushOptions } from './push/onenet.ts';
import { aesKeyForm } from './push/onenet-signature.ts';

export const ingestEnvironmentSchema = z.object({
  /** Name of the table. */
  MESSAGES_TABLE: z.string().min(3),
  /** Days that messages are kept whose route says nothing else. */
  RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  /** Partitions that a topic is spread over; may be raised, never lowered within the retention. */
  WRITE_SHARDS: z.coerce.number().int().min(1).max(32).default(1),
  /** Token of OneNET's HTTP push; without it there is no endpoint for it. */
  ONENET_PUSH_TOKEN: z.string().min(1).max(256).optional(),
  /** Key of its encrypted pushes. */
  ONENET_PUSH_AES_KEY: z.string().regex(aesKeyForm).optional(),
  /** Product of pushes that name none. */
  ONENET_PUSH_PRODUCT: z.string().optional(),
});

export type IngestVariable = keyof typeof ingestEnvironmentSchema.shape;

/** OneNET's push as the environment sets it; undefined where it does not. */
export function oneNetPushOf(
  environment: z.output<typeof ingestEnvironmentSchema>,
): OneNetPushOptions | undefined {
  const { ONENET_PUSH_TOKEN: token, ONENET_PUSH_AES_KEY: aesKey } = environment;
  if (token === undefined) return undefined;
  return { token, aesKey, productId: environment.ONENET_PUSH_PRODUCT };
}
