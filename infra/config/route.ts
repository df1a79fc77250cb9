// The config's section `routes`: which messages go where, stored or to a webhook, and how fast.
import * as z from 'zod';
import { credentialFields, handlerFaults, handlerFields } from '../../bridge/handler/config.ts';
import { routeFields } from '../../bridge/route-config.ts';
import { batchAboveFunctionUrl } from '../unsafe-settings.ts';
import { retentionDays } from './fields.ts';

const bridgeRoute = routeFields.shape;

const handlerSchema = z
  .strictObject({
    ...handlerFields,
    url: handlerFields.url.describe(
      'Handler that gets the messages instead of the ingest function; where a request carries one message, levels of its topic can stand in path and query: `{1}`, `{2}` …, or `{topic}`',
    ),
    allowPrivate: handlerFields.allowPrivate.describe(
      'Allow a handler in a private network or on this machine, and http for its URL',
    ),
    secretName: credentialFields.secretName.describe(
      'Secret with the Standard Webhooks secret that signs every request, `whsec_…`; with several, as a JSON list or one a line, all sign: for a rotation',
    ),
    bearerSecret: credentialFields.bearerSecret.describe(
      'Secret with the token for `Authorization: Bearer`',
    ),
    basicSecret: credentialFields.basicSecret.describe(
      'Secret with the JSON `{"username": …, "password": …}` for `Authorization: Basic`',
    ),
  })
  .superRefine(({ url, allowPrivate, secretName, bearerSecret, basicSecret }, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (!allowPrivate && !/^https:/i.test(url))
      fault('url', 'must be a URL that starts with https://');
    if (bearerSecret !== undefined && basicSecret !== undefined)
      fault('basicSecret', 'must not stand beside bearerSecret');
    if ([secretName, bearerSecret, basicSecret].every((name) => name === undefined))
      fault('secretName', 'must be given, or bearerSecret or basicSecret: others could send too');
  });

export const routeSchema = z
  .strictObject({
    name: bridgeRoute.name,
    filter: bridgeRoute.filter,
    handler: handlerSchema.optional().describe('Without it, messages are stored'),
    retentionDays: retentionDays
      .optional()
      .describe('As `retentionDays` below, for messages of this route'),
    qos: bridgeRoute.qos,
    maxBatch: bridgeRoute.maxBatch,
    maxBatchBytes: bridgeRoute.maxBatchBytes,
    lingerMs: bridgeRoute.lingerMs,
    concurrency: bridgeRoute.concurrency,
    timeoutMs: bridgeRoute.timeoutMs,
    window: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Most unacknowledged messages; 4000, or what the broker allows, by default'),
    maxWindowBytes: bridgeRoute.maxWindowBytes,
    connections: bridgeRoute.connections,
    retry: bridgeRoute.retry,
    rejectTries: bridgeRoute.rejectTries,
    failingMessage: bridgeRoute.failingMessage,
  })
  .superRefine(({ handler, maxBatch, maxBatchBytes }, context) => {
    const rule = handler === undefined ? batchAboveFunctionUrl(maxBatchBytes) : undefined;
    if (rule !== undefined)
      context.addIssue({ code: 'custom', path: ['maxBatchBytes'], message: rule });
    for (const [field, message] of handler === undefined ? [] : handlerFaults(handler, maxBatch))
      context.addIssue({
        code: 'custom',
        path: field === 'maxBatch' ? [field] : ['handler', field],
        message,
      });
  });
