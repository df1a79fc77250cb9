// The config's section `broker`: the broker that the devices use, and what it is shown.
import * as z from 'zod';
import { oneNetBySecret, oneNetFaults } from '../../bridge/broker/onenet-config.ts';
import { bridgeConfigSchema, brokerProtocols } from '../../bridge/config.ts';
import { urlWith } from '../../functions/contract/parse.ts';
import { plainTextToPublicHost } from '../unsafe-settings.ts';
import { secretName } from './fields.ts';

const bridgeBroker = bridgeConfigSchema.shape.broker.shape;

/** What is no URL at all is another rule's to say: zod asks this one too. */
function holdsCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

export const brokerSchema = z
  .strictObject({
    url: urlWith(...brokerProtocols)
      .refine(
        (text) => !holdsCredentials(text),
        'must hold no user name and password: name a secret in broker.credentialsSecret',
      )
      .describe('Broker address: mqtts or wss; mqtt and ws where the host is private'),
    allowPlainText: z
      .boolean()
      .default(false)
      .describe(
        'Allow mqtt and ws to a public host: anybody on the way can read and change messages',
      ),
    profile: bridgeBroker.profile,
    auth: bridgeBroker.auth,
    region: bridgeBroker.region,
    clientIdPrefix: bridgeBroker.clientIdPrefix,
    clientIds: bridgeBroker.clientIds,
    protocolVersion: bridgeBroker.protocolVersion,
    keepaliveSeconds: bridgeBroker.keepaliveSeconds,
    connectTimeoutMs: bridgeBroker.connectTimeoutMs,
    sessionExpirySeconds: z
      .int()
      .min(
        60,
        'must be at least 60: with 0 the broker forgets the backlog as soon as the bridge is away',
      )
      .max(0xffff_ffff)
      .default(7 * 86_400)
      .describe('How long the broker keeps the backlog of a bridge that is away (MQTT 5)'),
    cleanSession: bridgeBroker.cleanSession,
    status: bridgeBroker.status,
    receiveMaximum: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Most unacknowledged messages that the broker allows a session'),
    maxClients: z
      .int()
      .min(1)
      .optional()
      .describe('Most client ids that the broker allows this account'),
    credentialsSecret: secretName
      .optional()
      .describe('Secret with the JSON `{"username": …, "password": …}`'),
    onenet: oneNetBySecret
      .optional()
      .describe("What China Mobile's OneNET is shown, instead of user name and password"),
    caSecret: secretName.optional().describe("Secret with the PEM of the broker's own CA"),
    serverName: bridgeBroker.serverName,
    alpnProtocols: bridgeBroker.alpnProtocols,
    clientCertificateSecret: secretName
      .optional()
      .describe('Secret with the JSON `{"certificate": …, "privateKey": …}`, both PEM'),
  })
  .superRefine((broker, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    const rule = broker.allowPlainText ? undefined : plainTextToPublicHost(broker.url);
    if (rule !== undefined) fault('url', rule);
    for (const { field, rule: message } of oneNetFaults(broker)) fault(field, message);
  });
