// Values that several sections of the config have.
import * as z from 'zod';

/** A secret, by name: the config holds none. */
export const secretName = z
  .string()
  .regex(
    /^[A-Za-z0-9/_+=.@-]{1,500}$/,
    'must be the name of a secret in Secrets Manager: 1 to 500 letters, digits or /_+=.@-',
  );

/** Days that messages are kept. */
export const retentionDays = z
  .int()
  .min(1, 'must be at least 1: with 0, messages would be deleted as soon as they are stored')
  .max(3650);
