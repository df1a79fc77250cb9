// The environment of the api function: every variable once, for the code that reads it and the stack that sets it.
import * as z from 'zod';
import { brokerRulesSchema } from '../contract/broker-rules.ts';
import { limitsSchema } from './access/limits.ts';

/** A variable that is JSON. */
const json = <S extends z.ZodType>(schema: S, rule: string) =>
  z.string().transform((text, context): z.output<S> => {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      context.addIssue(rule);
      return z.NEVER;
    }
  });

export const apiEnvironmentSchema = z.object({
  /** Name of the table. */
  MESSAGES_TABLE: z.string().min(3),
  /** As many as ingest writes with, or has within the retention. */
  WRITE_SHARDS: z.coerce.number().int().min(1).max(32).default(1),
  /** Response topic of commands that name none. */
  REPLY_TOPIC: z.string().min(1).optional(),
  /** What the broker does not take, as JSON. */
  BROKER_RULES: json(brokerRulesSchema, 'must be the rules of a broker, as JSON').optional(),
  CORS_ORIGINS: json(z.array(z.url()), 'must be a JSON list of origins').optional(),
  /** Issuer of JWTs that are accepted beside tokens of the table; with its audience. */
  OIDC_ISSUER: z.url().optional(),
  OIDC_AUDIENCE: z.string().min(1).optional(),
  OIDC_SCOPE_CLAIM: z.string().min(1).optional(),
  /** The console's client id at the issuer, and the scopes that it asks for. */
  OIDC_CLIENT_ID: z.string().min(1).optional(),
  OIDC_SCOPES: json(z.array(z.string()), 'must be a JSON list of scopes').prefault('[]'),
  /** The limits of callers, as JSON. */
  LIMITS: json(limitsSchema, 'must be the limits of callers, as JSON').prefault('{}'),
});

export type ApiVariable = keyof typeof apiEnvironmentSchema.shape;
