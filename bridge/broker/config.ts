// The config's `broker`: where it is, what is shown to it, and whom to trust.
import * as z from 'zod';
import { urlWith } from '../../functions/contract/parse.ts';
import { name, secretName } from '../config-names.ts';

/** Protocols of a broker's URL. */
export const brokerProtocols = ['mqtt:', 'mqtts:', 'ws:', 'wss:'] as const;

const file = z.string().min(1);

const brokerFields = z.strictObject({
  url: urlWith(...brokerProtocols).describe('Broker address: mqtt, mqtts, ws or wss'),
  clientIdPrefix: name
    .default('causeway')
    .describe('Client ids are `<prefix>-<route>-<connection>`'),
  protocolVersion: z
    .literal([4, 5], 'must be 5 or 4 (MQTT 3.1.1)')
    .default(5)
    .describe('Tried first; the bridge falls back to 4 by itself where the broker has no 5'),
  username: z.string().optional().describe('User name'),
  password: z.string().optional().describe('Password'),
  credentialsSecret: secretName
    .optional()
    .describe('Secret with the JSON `{"username": …, "password": …}`, instead of those two'),
  caFile: file
    .optional()
    .describe("PEM file of the broker's own CA; like all files, read for each connection"),
  caSecret: secretName.optional().describe('Secret with that PEM, instead of the file'),
  certificateFile: file
    .optional()
    .describe('PEM file of the client certificate; goes with `keyFile`'),
  keyFile: file.optional().describe('PEM file of its private key'),
  clientCertificateSecret: secretName
    .optional()
    .describe('Secret with the JSON `{"certificate": …, "privateKey": …}`, instead of the files'),
  serverName: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("Name in the broker's certificate, where it is not the URL's host (mqtts)"),
  alpnProtocols: z
    .array(z.string().min(1).max(255))
    .min(1)
    .max(10)
    .optional()
    .describe('ALPN protocols (mqtts), such as `x-amzn-mqtt-ca` for AWS IoT Core at port 443'),
  keepaliveSeconds: z.int().min(5).max(3600).default(30).describe('MQTT keep-alive'),
  connectTimeoutMs: z.int().min(100).max(120_000).default(10_000).describe('Time until CONNACK'),
  sessionExpirySeconds: z
    .int()
    .min(60)
    .max(0xffff_ffff)
    .default(7 * 86_400)
    .describe(
      'How long the broker keeps a session, and so the backlog, of a bridge that is away (MQTT 5)',
    ),
});

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
];
const mqttsFields: readonly Field[] = ['serverName', 'alpnProtocols'];

export const brokerSchema = brokerFields.superRefine((broker, context) => {
  const fault = (field: Field, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
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
  if (!URL.canParse(broker.url)) return;
  const { protocol, username } = new URL(broker.url);
  if (broker.credentialsSecret !== undefined && username !== '')
    fault('url', 'must hold no user name beside broker.credentialsSecret');
  for (const field of tlsFields)
    if (broker[field] !== undefined && protocol !== 'mqtts:' && protocol !== 'wss:')
      fault(field, 'needs a URL with mqtts or wss: there is no TLS otherwise');
  for (const field of mqttsFields)
    if (broker[field] !== undefined && protocol !== 'mqtts:')
      fault(field, 'needs a URL with mqtts');
});
