// What a person gives of a new token, checked: its name, and its scopes.
import * as z from 'zod';
import { stringFault } from '../../contract/topic.ts';
import { maxScopes, parseScope, type Scope } from './scopes.ts';

export const tokenName = z
  .string('is needed')
  .min(1, 'must not be empty')
  .max(100, 'must be at most 100 characters')
  .superRefine((given, context) => {
    const fault = stringFault(given);
    if (fault !== undefined) context.addIssue(fault);
  });

const scope = z
  .string('needs a value')
  .meta({ examples: ['read:rooms/#'] })
  .transform((given, context): Scope => {
    const parsed = parseScope(given);
    if (parsed.ok) return parsed.scope;
    context.addIssue(parsed.fault);
    return z.NEVER;
  });

export const tokenScopes = z
  .array(scope, 'is needed, once or more')
  .max(maxScopes, `must be given at most ${maxScopes} times`);
