// The handler's answer to a batch: which of its messages failed. The form that Lambda users know from SQS.
import * as z from 'zod';

const failureSchema = z.object({
  /** The `id` of the envelope that failed. */
  itemIdentifier: z.string(),
  reason: z.string().max(1024).optional(),
  /** False says that this message will never be accepted: quarantine it. Default true: send it again. */
  retryable: z.boolean().optional(),
});

/** `{"batchItemFailures":[]}`: the messages that are not named have been stored. */
export const receiptSchema = z.object({
  batchItemFailures: z.array(failureSchema),
  /** How many messages of the batch had been stored before, under another time of receipt. */
  duplicates: z.int().min(0).optional(),
});

export type ItemFailure = z.output<typeof failureSchema>;
export type Receipt = z.output<typeof receiptSchema>;
