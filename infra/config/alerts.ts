// The config's section `alerts`: where to tell of what is wrong; as the bridge has it, with secrets by name alone.
import * as z from 'zod';
import { alertAddressFault, alertFields } from '../../bridge/config/alerts.ts';
import { secretName } from '../../bridge/config/names.ts';

export const alertsSchema = z
  .strictObject({
    ...alertFields,
    secretName: secretName.describe(
      'Secret with the Standard Webhooks secret that signs alerts, `whsec_…`',
    ),
    bearerSecret: secretName
      .optional()
      .describe('Secret with the token for `Authorization: Bearer`, beside the signature'),
  })
  .superRefine(({ url, allowPrivate }, context) => {
    const rule =
      !allowPrivate && !/^https:/i.test(url)
        ? 'must be a URL that starts with https://'
        : alertAddressFault(url, allowPrivate);
    if (rule !== undefined) context.addIssue({ code: 'custom', path: ['url'], message: rule });
  });

export type AlertsSettings = z.output<typeof alertsSchema>;
