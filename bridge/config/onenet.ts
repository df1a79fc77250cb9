// The config's `broker.onenet`: what the bridge's devices on China Mobile's OneNET show of themselves.
import * as z from 'zod';
import { secretName } from './names.ts';

/** The hashes that OneNET takes for a token. */
export const tokenMethods = ['md5', 'sha1', 'sha256'] as const;

export type TokenMethod = (typeof tokenMethods)[number];

const productId = z
  .string()
  .regex(/^[A-Za-z0-9]{1,64}$/, 'must be 1 to 64 letters and digits')
  .describe('Product that the devices belong to');

const key = z
  .base64('must be the base64 that the platform gave out')
  .min(8)
  .max(512)
  .refine((text) => Buffer.from(text, 'base64').byteLength > 0);

const plainSecret = z.string().min(1).max(256);
const device = z.string().min(1).max(64);

/** The bridge connects again so long before its token expires: for clocks that differ, and a broker that is slow. */
export function renewAfterSeconds(tokenSeconds: number): number {
  return tokenSeconds - Math.min(60, tokenSeconds / 3);
}

const tokenFields = z.strictObject({
  platform: z.literal('token').describe('`token`: the platform with tokens'),
  productId,
  keyOf: z
    .enum(['product', 'device'])
    .default('product')
    .describe("Sign tokens with the product's key, or with each device's own"),
  key: key.optional().describe("The product's key"),
  deviceKeys: z
    .record(device, key)
    .optional()
    .describe("Each device's key, by the device's name; with `keyOf: 'device'`"),
  keySecret: secretName
    .optional()
    .describe(
      "Secret with the product's key; for `keyOf: 'device'`, with a JSON object of keys by device",
    ),
  method: z.enum(tokenMethods).default('sha256').describe('Hash that tokens are signed with'),
  tokenSeconds: z
    .int()
    // Below it, the bridge would connect more often than the platform allows.
    .min(6)
    .max(7 * 86_400)
    .default(3600)
    .describe('Life of a token; the bridge connects again before it expires'),
});

const oneOf = (...fields: readonly string[]) => `needs exactly one of ${fields.join(', ')}`;

const token = tokenFields.superRefine((onenet, context) => {
  const direct = onenet.keyOf === 'product' ? 'key' : 'deviceKeys';
  const other = onenet.keyOf === 'product' ? 'deviceKeys' : 'key';
  const fault = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  if (onenet[other] !== undefined) fault(other, `must not stand beside keyOf: '${onenet.keyOf}'`);
  if ((onenet[direct] === undefined) === (onenet.keySecret === undefined))
    fault('keySecret', oneOf(direct, 'keySecret'));
});

const olderFields = z.strictObject({
  platform: z.literal('device').describe('`device`: the older one, with API keys'),
  productId,
  apiKey: plainSecret.optional().describe('API key that is good for all of the devices'),
  apiKeySecret: secretName.optional().describe('Secret with the API key'),
  authInfo: z
    .record(device, plainSecret)
    .optional()
    .describe("Each device's authentication string, by the device's id, instead"),
});

const older = olderFields.superRefine(({ apiKey, apiKeySecret, authInfo }, context) => {
  const given = [apiKey, apiKeySecret, authInfo].filter((field) => field !== undefined);
  if (given.length !== 1)
    context.addIssue({
      code: 'custom',
      path: ['apiKeySecret'],
      message: oneOf('apiKey', 'apiKeySecret', 'authInfo'),
    });
});

export const oneNetSchema = z.discriminatedUnion('platform', [token, older]);

/** As {@link oneNetSchema}, for a config that holds no secrets. */
export const oneNetBySecret = z.discriminatedUnion('platform', [
  tokenFields.omit({ key: true, deviceKeys: true }).required({ keySecret: true }),
  olderFields.omit({ apiKey: true, authInfo: true }).required({ apiKeySecret: true }),
]);

export type OneNetConfig = z.output<typeof oneNetSchema>;

/** The name of the secret that it reads; undefined where it stands in the config itself. */
export function oneNetSecretName(onenet: OneNetConfig): string | undefined {
  return onenet.platform === 'token' ? onenet.keySecret : onenet.apiKeySecret;
}

const otherCredentials = ['username', 'password', 'credentialsSecret', 'auth'] as const;

/** "使用限制" of the MQTTS suite: it ends the connection above it. The older platform's limit is the profile's. */
const maxTokenKeepaliveSeconds = 1800;

type CheckedField = 'profile' | 'status' | 'keepaliveSeconds' | (typeof otherCredentials)[number];

/** What does not go with `onenet` in the config's `broker`; fields are named within it. */
export function oneNetFaults(
  broker: {
    readonly onenet?: OneNetConfig | undefined;
    readonly profile?: string | undefined;
    readonly keepaliveSeconds: number;
  } & { readonly [field in 'status' | (typeof otherCredentials)[number]]?: unknown },
): { readonly field: CheckedField; readonly rule: string }[] {
  if (broker.onenet === undefined) return [];
  const beside = otherCredentials.filter((field) => broker[field] !== undefined);
  const faults: ReturnType<typeof oneNetFaults> = beside.map((field) => ({
    field,
    rule: 'must not stand beside broker.onenet',
  }));
  if (broker.profile !== 'onenet')
    faults.push({ field: 'profile', rule: "must be 'onenet' beside broker.onenet" });
  // MQTTS suite, "使用限制": it ends the connection on any of the will's flags.
  if (broker.onenet.platform === 'token' && broker.status !== undefined)
    faults.push({ field: 'status', rule: 'must not be set: the platform takes no last will' });
  if (broker.onenet.platform === 'token' && broker.keepaliveSeconds > maxTokenKeepaliveSeconds)
    faults.push({
      field: 'keepaliveSeconds',
      rule: `must be at most ${maxTokenKeepaliveSeconds}: the platform takes no longer one`,
    });
  return faults;
}
