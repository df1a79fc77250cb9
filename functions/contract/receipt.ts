// The handler's answer to a batch: which of its messages failed. The form that Lambda users know from SQS.
import * as z from 'zod';
import { presenceStatuses } from './presence.ts';

const failureSchema = z.object({
  /** The `id` of the envelope that failed. */
  itemIdentifier: z.string(),
  reason: z.string().max(1024).optional(),
  /** False says that this message will never be accepted: it becomes a dead letter. Default true: send it again. */
  retryable: z.boolean().optional(),
});

/** The name that every receipt has in it. */
export const receiptMark = 'batchItemFailures';

/** Whether an answer speaks of failures, as a receipt does, be it cut within that very name. */
export function speaksOfFailures(body: string): boolean {
  if (body.includes(receiptMark)) return true;
  const quote = body.lastIndexOf('"');
  return quote >= 0 && quote < body.length - 1 && receiptMark.startsWith(body.slice(quote + 1));
}

/** Longest id of a client in a receipt, in characters: nobody is told of others. */
export const maxToldClientId = 128;

const clientChangeSchema = z.object({
  clientId: z.string(),
  status: z.enum(presenceStatuses),
  /** Since when; RFC 3339. */
  since: z.string(),
  reason: z.string().optional(),
});

/** A client that is online or offline now, and was not before. */
export type ClientChange = z.output<typeof clientChangeSchema>;

/** `{"batchItemFailures":[]}`: the messages that are not named have been stored. */
export const receiptSchema = z.object({
  [receiptMark]: z.array(failureSchema),
  /** How many messages of the batch had been stored before, under another time of receipt. */
  duplicates: z.int().min(0).optional(),
  /** What the presence messages of the batch have changed, where the route asks for it. */
  clients: z.array(clientChangeSchema).optional(),
});

export type ItemFailure = z.output<typeof failureSchema>;
export type Receipt = z.output<typeof receiptSchema>;
