// The config's section `broker`: all that the bridge reads of it, but for secrets, which are named, and files.
import * as z from 'zod';
import { isPrivateAddress } from '../../bridge/base/address-guard.ts';
import {
  brokerFaults,
  brokerFields,
  brokerProtocols,
  brokerSecretsAndFiles,
} from '../../bridge/config/broker.ts';
import { oneNetBySecret } from '../../bridge/config/onenet.ts';
import { addFaults, urlWith } from '../../functions/contract/parse.ts';

/** What is no URL at all is another rule's to say: zod asks this one too. */
function holdsCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

/** The fields by themselves, for rules that look across sections: one mistake here does not hide another there. */
export const ownBrokerFields = z.strictObject({
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
  ...brokerFields.omit({ url: true, onenet: true, ...brokerSecretsAndFiles }).shape,
  onenet: oneNetBySecret.optional().describe(`${brokerFields.shape.onenet.description}`),
});

export const brokerSchema = ownBrokerFields.superRefine((broker, context) => {
  const rule = broker.allowPlainText ? undefined : plainTextToPublicHost(broker.url);
  if (rule !== undefined) context.addIssue({ code: 'custom', path: ['url'], message: rule });
  addFaults(context, brokerFaults(broker));
});

export type BrokerSettings = z.output<typeof brokerSchema>;

/** The rule that a broker's URL breaks where anybody on the way could read along, or undefined. */
function plainTextToPublicHost(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  if ((protocol !== 'mqtt:' && protocol !== 'ws:') || isPrivateHost(hostname)) return undefined;
  const secure = protocol === 'ws:' ? 'wss' : 'mqtts';
  return `is plain text to a public host: use ${secure}://, or set broker.allowPlainText if everybody may read and change the messages`;
}

/** Whether only a private network leads to a host: RFC 1918 and 4193, loopback, `.internal`, `.local`. */
function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    isPrivateAddress(host) || host === 'localhost' || /\.(internal|local|localhost)$/.test(host)
  );
}
