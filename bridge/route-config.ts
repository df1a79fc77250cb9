// The config's `routes`: which messages go to which handler, how it is shown who sends them, and how many at once.
import * as z from 'zod';
import { urlWith } from '../functions/contract/parse.ts';
import { filterFault } from '../functions/contract/topic.ts';
import { name, secretName } from './config-names.ts';

/** A Standard Webhooks secret. */
export const webhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and the base64 of 24 to 64 bytes');

const routeFields = z.strictObject({
  name: name.describe(
    'Name of the route; part of the client id, so renaming it starts a new session',
  ),
  filter: z
    .string()
    .superRefine((filter, context) => {
      const fault = filterFault(filter);
      if (fault !== undefined) context.addIssue(fault);
    })
    .describe('MQTT topic filter'),
  url: urlWith('http:', 'https:').describe('Handler that gets the batches'),
  qos: z
    .literal([0, 1], 'must be 0 or 1: one acknowledgement path, QoS 2 arrives as 1')
    .default(1)
    .describe('QoS of the subscription'),
  format: z
    .literal('cloudevents-batch')
    .default('cloudevents-batch')
    .describe('Form of the request body'),
  secret: webhookSecret.optional().describe('Standard Webhooks secret that signs every request'),
  secretName: secretName
    .optional()
    .describe(
      'Secret with that secret instead; with several, as a JSON list or one a line, all sign: for a rotation',
    ),
  auth: z
    .literal('aws-iam')
    .optional()
    .describe(
      "Sign requests with this process's AWS credentials (SigV4), for a Lambda function URL with IAM",
    ),
  maxBatch: z.int().min(1).max(10_000).default(500).describe('Most messages in one request'),
  maxBatchBytes: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .describe('Largest request body in bytes; Lambda takes 6 MB'),
  lingerMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(5)
    .describe('How long a message waits for others to share its request'),
  concurrency: z.int().min(1).max(256).default(4).describe('Most requests in flight'),
  timeoutMs: z.int().min(100).max(900_000).default(30_000).describe('Time for a whole answer'),
  // Twice what is in flight by default (500 × 4): while one half is at the handler, the other fills batches.
  window: z
    .int()
    .min(1)
    .max(65_535)
    .default(4000)
    .describe('Most unacknowledged messages; the receive maximum of the session'),
  maxWindowBytes: z
    .int()
    .min(1024 * 1024)
    .max(1024 * 1024 * 1024)
    .default(32 * 1024 * 1024)
    .describe('Most bytes of unacknowledged messages'),
  connections: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      'Connections that share the subscription; more than one costs the order between them',
    ),
});

export const routeSchema = routeFields.superRefine((route, context) => {
  const [first, ...others] = (['auth', 'secretName', 'secret'] as const).filter(
    (field) => route[field] !== undefined,
  );
  for (const field of others)
    context.addIssue({ code: 'custom', path: [field], message: `must not stand beside ${first}` });
});
