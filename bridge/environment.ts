// The environment of the container: every variable once, for main.ts, which reads it, and the stack that sets it.
// Beside them the AWS SDK reads its own.
import * as z from 'zod';
import { tracingVariables } from './tracing/environment.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What pino logs: this and what is worse. */
export const logLevel = z.enum(logLevels, `must be one of ${logLevels.join(', ')}`);

export const bridgeEnvironmentSchema = z.object({
  /** The config document itself, or the path of a file that holds it. */
  CAUSEWAY_CONFIG: z
    .string('must be a JSON document or the path of one')
    .trim()
    .min(1, 'must be a JSON document or the path of one'),
  /** Set by ECS: it tells the address of the task, which the bridge puts beside its leases for the api. */
  ECS_CONTAINER_METADATA_URI_V4: z.url('must be a URL').optional(),
  LOG_LEVEL: logLevel.default('info'),
  ...tracingVariables,
});

export type BridgeVariable = keyof typeof bridgeEnvironmentSchema.shape;
