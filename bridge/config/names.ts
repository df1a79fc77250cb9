// Names that stand in the config.
import * as z from 'zod';

/** Part of client ids, metrics and logs. */
export const name = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 letters, digits, - or _');

/** Name of a secret in Secrets Manager, or its complete ARN, as for one of another account; its value is never in the config. */
export const secretName = z
  .string()
  .regex(
    /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,500}$/,
    'must be the name of a secret in Secrets Manager, 1 to 500 letters, digits or /_+=.@-, or its complete ARN',
  );
