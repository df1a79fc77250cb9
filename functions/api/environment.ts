// The environment of the api function: every variable once, for the code that reads it and the stack that sets it.
import * as z from 'zod';
import { brokerRulesSchema } from '../contract/broker-rules.ts';

const jsonList = z.string().transform((text, context) => {
  try {
    return z.array(z.url()).parse(JSON.parse(text));
  } catch {
    context.addIssue('must be a JSON list of origins');
    return z.NEVER;
  }
});

const jsonRules = z.string().transform((text, context) => {
  try {
    return brokerRulesSchema.parse(JSON.parse(text));
  } catch {
    context.addIssue('must be the rules of a broker, as JSON');
    return z.NEVER;
  }
});

export const apiEnvironmentSchema = z.object({
  /** Name of the table. */
  MESSAGES_TABLE: z.string().min(3),
  /** As many as ingest writes with, or has within the retention. */
  WRITE_SHARDS: z.coerce.number().int().min(1).max(32).default(1),
  /** Where the bridge listens, in the private network. */
  BRIDGE_URL: z.url(),
  /** What the bridge's token and the key of cursors are made from. */
  INTERNAL_SECRET: z.string().min(32),
  /** Response topic of commands that name none. */
  REPLY_TOPIC: z.string().min(1).optional(),
  /** What the broker does not take, as JSON. */
  BROKER_RULES: jsonRules.optional(),
  CORS_ORIGINS: jsonList.optional(),
  /** Issuer of JWTs that are accepted beside tokens of the table; with its audience. */
  OIDC_ISSUER: z.url().optional(),
  OIDC_AUDIENCE: z.string().min(1).optional(),
  OIDC_SCOPE_CLAIM: z.string().min(1).optional(),
  /** Of one caller, to one instance of the function. */
  REQUESTS_PER_SECOND: z.coerce.number().int().min(1).optional(),
});

export type ApiVariable = keyof typeof apiEnvironmentSchema.shape;
