// Values that several sections of the config have.
import * as z from 'zod';

/** Days that messages are kept. */
export const retentionDays = z
  .int()
  .min(1, 'must be at least 1: with 0, messages would be deleted as soon as they are stored')
  .max(3650);
