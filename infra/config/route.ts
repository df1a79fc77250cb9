// The config's section `routes`: all that the bridge reads of a route, whose handler is a section of its own here. Where it
// has none, messages are stored.
import * as z from 'zod';
import {
  credentialFields,
  handlerFaults,
  handlerFields,
  handlerSecrets,
  headerSecrets,
} from '../../bridge/config/handler.ts';
import { invocationUrl } from '../../bridge/config/lambda-invocation.ts';
import { expressionFaults, lingerFaults, routeFields } from '../../bridge/config/route.ts';
import { addFaults } from '../../functions/contract/parse.ts';
import {
  defaultStorageForm,
  type StorageForm,
  storageForms,
} from '../../functions/contract/storage-form.ts';
import { retentionDays } from './fields.ts';

const requestFields = z
  .strictObject({ ...handlerFields, ...credentialFields })
  .omit(handlerSecrets);

const functionArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,128})?$/,
    'must be the ARN of a function, or of one of its aliases',
  );

const givenHandler = requestFields.extend({
  url: handlerFields.url
    .optional()
    .describe(`${handlerFields.url.description}. Left out with \`functionArn\``),
  allowPrivate: handlerFields.allowPrivate.describe(
    `${handlerFields.allowPrivate.description}, and http for its URL`,
  ),
  auth: credentialFields.auth.describe(
    'With `url` and `functionArn`: sign requests (SigV4), for a Lambda function URL with IAM',
  ),
  functionArn: functionArn
    .optional()
    .describe(
      'Lambda function that gets the messages, and the bridge the right to invoke it; with `url` and `auth`, the function whose URL it is',
    ),
});

const handlerSchema = givenHandler
  .superRefine((handler, context) => {
    const { url, allowPrivate, auth } = handler;
    const fault = (field: keyof typeof handler, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (url === undefined) {
      if (handler.functionArn === undefined) fault('url', 'must be given, or functionArn');
      return;
    }
    if (!allowPrivate && !/^https:/i.test(url))
      fault('url', 'must be a URL that starts with https://');
    const { secretName, bearerSecret, basicSecret, clientCertificateSecret } = handler;
    const shown = [secretName, bearerSecret, basicSecret, clientCertificateSecret, auth];
    if (shown.every(isAbsent) && headerSecrets(handler).length === 0)
      fault(
        'secretName',
        'must be given, or bearerSecret, basicSecret or auth, clientCertificateSecret or a secret header: others could send too',
      );
    if (auth !== undefined && handler.functionArn === undefined)
      fault('functionArn', 'must be given beside auth: the bridge has no right to call others');
    if (auth === undefined && handler.functionArn !== undefined)
      fault('functionArn', "needs auth: 'aws-iam', or no url: the function is invoked then");
  })
  .transform(({ url, ...handler }) =>
    url === undefined && handler.functionArn !== undefined
      ? { ...handler, url: invocationUrl(handler.functionArn), auth: 'aws-iam' as const }
      : { ...handler, url: url ?? '' },
  );

/** What of a route is its handler's, or the bridge's own document's. */
const notOfRoute = { ...maskOf(handlerFields), ...maskOf(credentialFields), ingest: true } as const;

/** What routes have, whatever becomes of their messages. */
export const ownFields = routeFields.omit(notOfRoute);

export const routeSchema = ownFields
  .extend({
    handler: handlerSchema.optional().describe('Without it, messages are stored'),
    retentionDays: retentionDays
      .optional()
      .describe('As `retentionDays` below, for messages of this route'),
    maxLingerMs: ownFields.shape.maxLingerMs.describe(
      'Where 50 messages a second come or more: how long one waits at most, until about 100 are there; by default 250 where messages are packed, else as `lingerMs`',
    ),
    storage: z
      .enum(storageForms)
      .optional()
      .describe(
        'How messages are stored: `packed` (default), many in one item where a request brings four or more, or each as an item: ten times the writes, a tenth of the reads of a page, and nothing waits for others. Readers take both',
      ),
  })
  .superRefine((route, context) => {
    const { handler, storage, maxBatch, maxBatchBytes, lingerMs, maxLingerMs, where, transform } =
      route;
    addFaults(context, lingerFaults({ lingerMs, maxLingerMs }));
    if (handler !== undefined && storage !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['storage'],
        message: 'must not stand beside a handler: nothing is stored',
      });
    if (handler !== undefined)
      addFaults(
        context,
        handlerFaults(handler, maxBatch).map(({ field, rule }) => ({
          field: field in givenHandler.shape ? `handler.${field}` : field,
          rule,
        })),
      );
    else {
      if (maxBatchBytes > maxIngestBatchBytes)
        context.addIssue({
          code: 'custom',
          path: ['maxBatchBytes'],
          message: `must be at most ${maxIngestBatchBytes}: the ingest function takes 6 MB`,
        });
      addFaults(context, expressionFaults({ where, transform }, 'needs a handler'));
    }
  });

export type HandlerSettings = z.output<typeof handlerSchema>;
export type RouteSettings = z.output<typeof routeSchema>;

/** How the messages of a route are stored; undefined where they go to a handler. */
export function storageFormOf({
  handler,
  storage = defaultStorageForm,
}: Pick<RouteSettings, 'handler' | 'storage'>): StorageForm | undefined {
  return handler === undefined ? storage : undefined;
}

/** An event has 6 MB at most [Lambda quotas]; the query of a route is in it, too. */
const maxIngestBatchBytes = 6 * 1024 * 1024 - 16 * 1024;

const isAbsent = (value: unknown) => value === undefined;

function maskOf<Fields extends object>(fields: Fields) {
  return Object.fromEntries(Object.keys(fields).map((field) => [field, true])) as {
    readonly [Field in keyof Fields]: true;
  };
}
