// The environment of the container: every variable once, for main.ts, which reads it, and the stack that sets it.
// Beside them the AWS SDK reads its own.
import * as z from 'zod';

export const bridgeEnvironmentSchema = z.object({
  /** The config document itself, or the path of a file that holds it. */
  CAUSEWAY_CONFIG: z
    .string('must be a JSON document or the path of one')
    .trim()
    .min(1, 'must be a JSON document or the path of one'),
  /** What `http.token` is made from where the document has none; the api has the same. */
  INTERNAL_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export type BridgeVariable = keyof typeof bridgeEnvironmentSchema.shape;
