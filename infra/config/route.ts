// The config's section `routes`: which messages go where, stored or to a webhook, and how fast.
import * as z from 'zod';
import { credentialFields, handlerFaults, handlerFields } from '../../bridge/handler/config.ts';
import { routeFields } from '../../bridge/route-config.ts';
import { batchAboveFunctionUrl } from '../unsafe-settings.ts';
import { retentionDays } from './fields.ts';

const bridgeRoute = routeFields.shape;

const secretFields = ['secretName', 'bearerSecret', 'basicSecret'] as const;
const others = 'bearerSecret, basicSecret or auth';

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
    auth: credentialFields.auth.describe(
      'Sign requests as the bridge (SigV4), for a Lambda function URL with IAM; with `functionArn`, and no secrets',
    ),
    functionArn: z
      .string()
      .regex(
        /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,128})?$/,
        'must be the ARN of a function, or of one of its aliases',
      )
      .optional()
      .describe('With `auth`: the function whose URL it is; the bridge gets the right to call it'),
  })
  .superRefine((handler, context) => {
    const { url, allowPrivate, auth, functionArn } = handler;
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (!allowPrivate && !/^https:/i.test(url))
      fault('url', 'must be a URL that starts with https://');
    const given = secretFields.filter((field) => handler[field] !== undefined);
    if (given.includes('bearerSecret') && given.includes('basicSecret'))
      fault('basicSecret', 'must not stand beside bearerSecret');
    if (auth !== undefined) for (const field of given) fault(field, 'must not stand beside auth');
    else if (given.length === 0)
      fault('secretName', `must be given, or ${others}: others could send too`);
    if (auth !== undefined && functionArn === undefined)
      fault('functionArn', 'must be given beside auth: the bridge has no right to call others');
    if (auth === undefined && functionArn !== undefined)
      fault('functionArn', "needs auth: 'aws-iam'");
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

/** A route's own handler as the bridge's document has it. */
export function handlerOfBridge({ functionArn: _, ...handler }: z.output<typeof handlerSchema>) {
  return handler;
}
