// A route's handler in the config: where it is, what it is sent, and how it is shown who sends it.
import * as z from 'zod';
import { urlWith } from '../../functions/contract/parse.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';
import { addressFault } from '../base/address-guard.ts';
import { isInvocation } from './lambda-invocation.ts';
import { secretName } from './names.ts';
import { maxTargetBytes, placeholderFault } from './url-template.ts';

/** Forms of a request; all but the first carry one message each. */
export const requestFormats = [
  'cloudevents-batch',
  'cloudevents',
  'cloudevents-binary',
  'raw',
] as const;

/** A Standard Webhooks secret. */
export const webhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and the base64 of 24 to 64 bytes');

/** RFC 6750 allows fewer characters; what is printable and no space cannot break the header. */
export const bearerToken = z
  .string()
  .regex(/^[\x21-\x7e]{1,4096}$/, 'must be 1 to 4096 printable ASCII characters without spaces');

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const credentialText = z.string().regex(/^[^\u0000-\u001f\u007f]{0,255}$/u);

/** RFC 7617: the first colon ends the user name. */
export const basicCredentials = z.strictObject({
  username: credentialText
    .regex(/^[^:]+$/, 'must be 1 to 255 characters without a colon or control characters')
    .describe('User name, for Basic authentication'),
  password: credentialText.describe('Its password'),
});

/** Sent with every request, so few and small: servers take 8 to 16 KB of headers in all. */
const maxFixedHeaders = 20;
const maxFixedHeaderBytes = 2048;

/** What the bridge or HTTP itself says, and what must not be said twice or forged. */
const reservedHeader =
  /^(host|content-(length|type|encoding)|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|authorization|accept-encoding|proxy-.*|webhook-.*|ce-.*|mqtt-.*|x-amz-.*|traceparent|tracestate)$/;

const headerText = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);

/** What stands in the secret of a header. */
export const secretHeaderValue = headerText.max(4096);

/** Of a header that is secret, its name counts. */
const lengthWith = (sum: number, [name, value]: [string, string | { secret: string }]) =>
  sum + name.length + (typeof value === 'string' ? value.length : 0);

const fixedHeaders = z
  .record(
    z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'must be 1 to 64 characters of an HTTP token')
      .refine(
        (name) => !reservedHeader.test(name),
        'is set by the bridge itself, or by fields such as bearerSecret',
      ),
    z.union(
      [headerText, z.strictObject({ secret: secretName })],
      "must be printable ASCII without spaces around it, or { secret: '<name>' }",
    ),
  )
  .refine(
    (headers) => Object.keys(headers).length <= maxFixedHeaders,
    `must be at most ${maxFixedHeaders}`,
  )
  .refine(
    (headers) => Object.entries(headers).reduce(lengthWith, 0) <= maxFixedHeaderBytes,
    `must be at most ${maxFixedHeaderBytes} characters in all`,
  );

export const handlerFields = {
  url: urlWith('http:', 'https:')
    .superRefine((text, context) => {
      const fault = URL.canParse(text) ? urlFault(text) : undefined;
      if (fault !== undefined) context.addIssue(fault);
    })
    .describe(
      'Handler; where a request carries one message, levels of its topic can stand in path and query: `{1}`, `{2}` …, or `{topic}`',
    ),
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST').describe('Method of the requests'),
  format: z
    .enum(requestFormats)
    .default('cloudevents-batch')
    .describe(
      'Form of a request: a batch as `cloudevents-batch`, or one message as `cloudevents`, `cloudevents-binary` or `raw`',
    ),
  eventVersion: z
    .literal([1, 2], 'must be 1 or 2')
    .optional()
    .describe(
      'Version of the events, and so their `type`: in 2 (default) JSON payloads stand in `data` as JSON, in 1 every text is a string',
    ),
  headers: fixedHeaders
    .optional()
    .describe(
      "More headers of every request, at most 20: a text, or `{ secret: '<name>' }` for what is secret",
    ),
  caSecret: secretName
    .optional()
    .describe("Secret with the PEM of the handler's own CA; public ones are not trusted then"),
  clientCertificateSecret: secretName
    .optional()
    .describe(
      'Secret with the JSON `{"certificate": …, "privateKey": …}`, both PEM: what the bridge shows to the handler (mTLS)',
    ),
  allowPrivate: z
    .boolean()
    .default(false)
    .describe('Allow a handler in a private network or on this machine'),
};

/** What of a route's handler only the bridge's own document says. */
export const credentialFields = {
  secret: webhookSecret.optional().describe('Standard Webhooks secret that signs every request'),
  secretName: secretName
    .optional()
    .describe(
      'Secret with the Standard Webhooks secret that signs every request, `whsec_…`; with several, as a JSON list or one a line, all sign: for a rotation',
    ),
  auth: z
    .literal('aws-iam')
    .optional()
    .describe(
      "Sign requests with the bridge's AWS credentials (SigV4), to invoke a Lambda function, or for its URL with IAM",
    ),
  bearerToken: bearerToken.optional().describe('Token for `Authorization: Bearer`'),
  bearerSecret: secretName.optional().describe('Secret with the token for `Authorization: Bearer`'),
  basic: basicCredentials.optional().describe('Credentials for `Authorization: Basic`'),
  basicSecret: secretName
    .optional()
    .describe('Secret with the JSON `{"username": …, "password": …}` for `Authorization: Basic`'),
};

/** What a config that holds no secrets does not have. */
export const handlerSecrets = { secret: true, bearerToken: true, basic: true } as const;

/** Ways to show who sends a request; of each group there is one at most. A signature may stand beside a credential. */
const exclusive = [
  ['auth', 'secretName', 'secret'],
  ['auth', 'bearerSecret', 'bearerToken', 'basicSecret', 'basic'],
] as const;

type GivenHeaders = { readonly headers?: z.output<typeof fixedHeaders> | undefined };

/** The headers of a handler that are secret: each by its name, and the secret that has its value. */
export function headerSecrets({ headers = {} }: GivenHeaders) {
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [] : [{ name, secret: value.secret }],
  );
}

/** The headers that the config itself has the values of. */
export function plainHeaders({ headers = {} }: GivenHeaders) {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as const] : [],
    ),
  );
}

function urlFault(text: string): string | undefined {
  const { username, password, hash, pathname, search } = new URL(text);
  if (username !== '' || password !== '')
    return 'must hold no user name and password: they have settings of their own';
  if (hash !== '') return 'must have no fragment: it is never sent';
  if (pathname.length + search.length > maxTargetBytes)
    return `must have at most ${maxTargetBytes} bytes of path and query`;
  return placeholderFault(text);
}

export type HandlerInput = z.input<z.ZodObject<typeof handlerFields & typeof credentialFields>>;
type Handler = z.output<z.ZodObject<typeof handlerFields & typeof credentialFields>>;

/** What an invocation has no place for: the event is the body, and nothing else. */
const notInvoked = [
  'headers',
  'secret',
  'secretName',
  'bearerToken',
  'bearerSecret',
  'basic',
  'basicSecret',
] as const;

/** What is wrong between the fields of a handler, each legal by itself, and the batches of its route. */
export function handlerFaults(
  handler: Handler,
  maxBatch: number | undefined,
  isIngest = false,
): FieldFault[] {
  const { url, format, allowPrivate } = handler;
  const faults: FieldFault[] = [];
  const fault = (field: keyof Handler | 'maxBatch', rule: string) => faults.push({ field, rule });
  for (const group of exclusive) {
    const [first, ...others] = group.filter((field) => handler[field] !== undefined);
    for (const field of others) fault(field, `must not stand beside ${first}`);
  }
  for (const field of ['caSecret', 'clientCertificateSecret'] as const)
    if (handler[field] !== undefined && !/^https:/i.test(url))
      fault(field, 'needs a url that starts with https://');
  if (format !== 'cloudevents-batch' && maxBatch !== undefined && maxBatch > 1)
    fault('maxBatch', `must be 1: a request of format ${format} carries one message`);
  if (format === 'cloudevents-batch' && /[{}]/.test(url))
    fault('url', 'needs a format of one message a request, to have levels of its topic');
  if (URL.canParse(url) && isInvocation(new URL(url))) {
    for (const field of notInvoked)
      if (handler[field] !== undefined) fault(field, 'does not reach a function that is invoked');
    if (handler.method !== 'POST') fault('method', 'must be POST: url invokes a function');
    if (format !== 'cloudevents-batch' && format !== 'cloudevents')
      fault('format', 'must be cloudevents-batch or cloudevents: the event of a function is JSON');
    if (!isIngest && new URL(url).search !== '')
      fault('url', 'must have no query: a function that is invoked gets the event alone');
  }
  const address = URL.canParse(url) ? addressFault(new URL(url), allowPrivate) : undefined;
  if (address !== undefined) fault('url', address);
  return faults;
}
