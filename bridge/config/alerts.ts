// The config's section `alerts`: where to tell of what is wrong with routes, certificates and clients, and of which of it.
import * as z from 'zod';
import { filterFault } from '../../functions/contract/topic.ts';
import { addressFault } from '../base/address-guard.ts';
import { credentialFields, handlerFields } from './handler.ts';
import { hasPlaceholders } from './url-template.ts';

/** What can be told of. */
export const alertKinds = [
  'holding',
  'disabled',
  'disconnected',
  'dead-letters',
  'session-lost',
  'certificate',
  'client-offline',
] as const;
export type AlertKind = (typeof alertKinds)[number];

export const alertFields = {
  url: handlerFields.url
    .refine((url) => !hasPlaceholders(url), 'must hold no { and }')
    .describe('Endpoint that gets the alerts, each as one signed CloudEvent'),
  headers: handlerFields.headers,
  allowPrivate: handlerFields.allowPrivate.describe(
    'Allow an endpoint in a private network or on this machine',
  ),
  about: z
    .array(z.enum(alertKinds))
    .min(1)
    .default([...alertKinds])
    .describe('What to tell of'),
  clients: z
    .array(
      z.string().superRefine((filter, context) => {
        const fault = filterFault(filter);
        if (fault !== undefined) context.addIssue(fault);
      }),
    )
    .max(50)
    .default([])
    .describe(
      'Of clients whose ids match one of these topic filters it is told when they are offline; needs `presence`',
    ),
  afterSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(10)
    .describe('How long something has to last before it is told, and to be over before that is'),
};

export const alertsSchema = z
  .strictObject({
    ...alertFields,
    secret: credentialFields.secret,
    secretName: credentialFields.secretName,
    bearerToken: credentialFields.bearerToken,
    bearerSecret: credentialFields.bearerSecret,
  })
  .superRefine((alerts, context) => {
    const { url, allowPrivate, secret, secretName, bearerToken, bearerSecret } = alerts;
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    const rule = alertAddressFault(url, allowPrivate);
    if (rule !== undefined) fault('url', rule);
    if (secret === undefined && secretName === undefined)
      fault('secretName', 'must be given, or secret: others could send too');
    if (secret !== undefined && secretName !== undefined)
      fault('secretName', 'must not stand beside secret');
    if (bearerToken !== undefined && bearerSecret !== undefined)
      fault('bearerSecret', 'must not stand beside bearerToken');
  });

export type AlertsConfig = z.output<typeof alertsSchema>;

/** What is wrong with the address in an endpoint's URL. */
export function alertAddressFault(url: string, allowPrivate: boolean): string | undefined {
  return URL.canParse(url) ? addressFault(new URL(url), allowPrivate) : undefined;
}
