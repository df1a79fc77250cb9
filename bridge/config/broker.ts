// The config's `broker`: where it is, what is shown to it, and whom to trust.
import * as z from 'zod';
import { addFaults, urlWith } from '../../functions/contract/parse.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';
import { awsAuthFaults } from './aws-iot-auth.ts';
import { name, secretName } from './names.ts';
import { oneNetFaults, oneNetSchema } from './onenet.ts';
import { profileName } from './profiles/profiles.ts';
import { statusSchema } from './status.ts';

/** Protocols of a broker's URL. */
export const brokerProtocols = ['mqtt:', 'mqtts:', 'ws:', 'wss:'] as const;

const file = z.string().min(1);

export const brokerFields = z.strictObject({
  url: urlWith(...brokerProtocols).describe('Broker address: mqtt, mqtts, ws or wss'),
  profile: profileName
    .optional()
    .describe('Which broker it is: sets what is not set here, and checks what it would not take'),
  auth: z
    .literal('aws-iam')
    .optional()
    .describe(
      "Sign the URL of each connection with the bridge's AWS credentials (SigV4), for AWS IoT Core by wss",
    ),
  region: z
    .string()
    .regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'must be a region, such as eu-central-1')
    .optional()
    .describe('Region for `auth`, where the URL does not say it, as with a domain of your own'),
  clientIdPrefix: name
    .default('causeway')
    .describe('Client ids are `<prefix>-<route>-<connection>`'),
  clientIds: z
    .record(z.string().regex(/^[A-Za-z0-9_-]{1,60}$/), z.string().min(1).max(256))
    .refine(
      (ids) => new Set(Object.values(ids)).size === Object.keys(ids).length,
      'must not give two connections the same client id',
    )
    .default({})
    .describe(
      'Client ids that the broker gave out, by names without the prefix: `store-0` for the first connection of the route `store`, `commands`',
    ),
  protocolVersion: z
    .literal([4, 5], 'must be 5 or 4 (MQTT 3.1.1)')
    .default(5)
    .describe('Tried first; the bridge falls back to 4 by itself where the broker has no 5'),
  username: z.string().optional().describe('User name'),
  password: z.string().optional().describe('Password'),
  credentialsSecret: secretName
    .optional()
    .describe('Secret with the JSON `{"username": …, "password": …}`'),
  onenet: oneNetSchema
    .optional()
    .describe("What China Mobile's OneNET is shown, instead of user name and password"),
  caFile: file
    .optional()
    .describe("PEM file of the broker's own CA; like all files, read for each connection"),
  caSecret: secretName.optional().describe("Secret with the PEM of the broker's own CA"),
  certificateFile: file
    .optional()
    .describe('PEM file of the client certificate; goes with `keyFile`'),
  keyFile: file.optional().describe('PEM file of its private key'),
  clientCertificateSecret: secretName
    .optional()
    .describe('Secret with the JSON `{"certificate": …, "privateKey": …}`, both PEM'),
  serverName: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("Name in the broker's certificate, where it is not the URL's host"),
  alpnProtocols: z
    .array(z.string().min(1).max(255))
    .min(1)
    .max(10)
    .optional()
    .describe('ALPN protocols (mqtts), such as `x-amzn-mqtt-ca` for AWS IoT Core at port 443'),
  keepaliveSeconds: z.int().min(5).max(3600).default(30).describe('MQTT keep-alive'),
  connectTimeoutMs: z
    .int()
    .min(100)
    .max(120_000)
    .default(10_000)
    .describe('Time until CONNACK, and for the answer to SUBSCRIBE and UNSUBSCRIBE'),
  sessionExpirySeconds: z
    .int()
    .min(
      60,
      'must be at least 60: with 0 the broker forgets the backlog as soon as the bridge is away',
    )
    .max(0xffff_ffff)
    .default(7 * 86_400)
    .describe(
      'How long the broker keeps the session, and so the backlog, of a bridge that is away (MQTT 5)',
    ),
  cleanSession: z
    .boolean()
    .default(false)
    .describe(
      'Keep no session at the broker, where it refuses to keep one. What comes while the bridge is away, restarts or is cut off is lost, and so is what was not acknowledged by then',
    ),
  status: statusSchema.optional().describe('Tell on a topic which connections are there'),
  receiveMaximum: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Maximum unacknowledged messages that the broker allows a session'),
  maxClients: z
    .int()
    .min(1)
    .optional()
    .describe('Maximum client ids that the broker allows this account'),
});

/** What a config that holds no secrets, and knows no files of the container, does not have. */
export const brokerSecretsAndFiles = {
  username: true,
  password: true,
  caFile: true,
  certificateFile: true,
  keyFile: true,
} as const;

type BrokerFields = z.output<typeof brokerFields>;
type Field = keyof BrokerFields;

/** Each said twice, once by the name of a secret. */
const alternatives: readonly (readonly [secret: Field, direct: readonly Field[]])[] = [
  ['credentialsSecret', ['username', 'password']],
  ['caSecret', ['caFile']],
  ['clientCertificateSecret', ['certificateFile', 'keyFile']],
];

const tlsFields: readonly Field[] = [
  'caFile',
  'caSecret',
  'certificateFile',
  'keyFile',
  'clientCertificateSecret',
  'serverName',
];
const mqttsFields: readonly Field[] = ['alpnProtocols'];

/** What is wrong between the fields of a broker, each legal by itself. */
export function brokerFaults(broker: BrokerFields): FieldFault[] {
  const faults: FieldFault[] = [];
  const fault = (field: Field, rule: string) => faults.push({ field, rule });
  for (const [secret, direct] of alternatives) {
    if (broker[secret] === undefined) continue;
    for (const field of direct)
      if (broker[field] !== undefined) fault(field, `must not stand beside broker.${secret}`);
  }
  if ((broker.certificateFile === undefined) !== (broker.keyFile === undefined))
    fault(
      broker.keyFile === undefined ? 'keyFile' : 'certificateFile',
      'is needed: certificate and key go together',
    );
  if (!URL.canParse(broker.url)) return faults;
  for (const { field, rule } of awsAuthFaults(broker)) fault(field, rule);
  for (const { field, rule } of oneNetFaults(broker)) fault(field, rule);
  const { protocol, username } = new URL(broker.url);
  if (broker.credentialsSecret !== undefined && username !== '')
    fault('url', 'must hold no user name beside broker.credentialsSecret');
  for (const field of tlsFields)
    if (broker[field] !== undefined && protocol !== 'mqtts:' && protocol !== 'wss:')
      fault(field, 'needs a URL with mqtts or wss: there is no TLS otherwise');
  for (const field of mqttsFields)
    if (broker[field] !== undefined && protocol !== 'mqtts:')
      fault(field, 'needs a URL with mqtts');
  return faults;
}

export const brokerSchema = brokerFields.superRefine((broker, context) => {
  addFaults(context, brokerFaults(broker));
});
