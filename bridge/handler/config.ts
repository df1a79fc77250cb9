// A route's handler in the config: where it is, what it is sent, and how it is shown who sends it.
import * as z from 'zod';
import { urlWith } from '../../functions/contract/parse.ts';
import { secretName } from '../config-names.ts';
import { addressFault } from './address-guard.ts';
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
  /^(host|content-(length|type|encoding)|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|authorization|accept-encoding|proxy-.*|webhook-.*|ce-.*|mqtt-.*|x-amz-.*)$/;

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
    z
      .string()
      .regex(
        /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
        'must be printable ASCII, without spaces around it',
      ),
  )
  .refine(
    (headers) => Object.keys(headers).length <= maxFixedHeaders,
    `must be at most ${maxFixedHeaders}`,
  )
  .refine(
    (headers) => Object.entries(headers).flat().join('').length <= maxFixedHeaderBytes,
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
  headers: fixedHeaders
    .optional()
    .describe('More headers of every request, at most 20; nothing secret belongs here'),
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
      'Secret with that secret instead; with several, as a JSON list or one a line, all sign: for a rotation',
    ),
  auth: z
    .literal('aws-iam')
    .optional()
    .describe(
      "Sign requests with this process's AWS credentials (SigV4), for a Lambda function URL with IAM",
    ),
  bearerToken: bearerToken.optional().describe('Token for `Authorization: Bearer`'),
  bearerSecret: secretName.optional().describe('Secret with that token instead'),
  basic: basicCredentials.optional().describe('Credentials for `Authorization: Basic`'),
  basicSecret: secretName
    .optional()
    .describe('Secret with the JSON `{"username": …, "password": …}`, instead of those two'),
};

function urlFault(text: string): string | undefined {
  const { username, password, hash, pathname, search } = new URL(text);
  if (username !== '' || password !== '')
    return 'must hold no user name and password: use basic or basicSecret';
  if (hash !== '') return 'must have no fragment: it is never sent';
  if (pathname.length + search.length > maxTargetBytes)
    return `must have at most ${maxTargetBytes} bytes of path and query`;
  return placeholderFault(text);
}

type Handler = z.output<z.ZodObject<typeof handlerFields>>;
type Fault = readonly [field: 'url' | 'maxBatch', rule: string];

/** What is wrong between the fields of a handler, each legal by itself, and the batches of its route. */
export function handlerFaults(
  { url, format, allowPrivate }: Pick<Handler, 'url' | 'format' | 'allowPrivate'>,
  maxBatch: number | undefined,
): Fault[] {
  const faults: Fault[] = [];
  if (format !== 'cloudevents-batch' && maxBatch !== undefined && maxBatch > 1)
    faults.push(['maxBatch', `must be 1: a request of format ${format} carries one message`]);
  if (format === 'cloudevents-batch' && /[{}]/.test(url))
    faults.push(['url', 'needs a format of one message a request, to have levels of its topic']);
  const address = URL.canParse(url) ? addressFault(new URL(url), allowPrivate) : undefined;
  if (address !== undefined) faults.push(['url', address]);
  return faults;
}
