// The config's `broker.status`: where each of the bridge's connections says that it is there, and what it says.
import * as z from 'zod';
import { publishTopicFault } from '../../functions/contract/topic.ts';

const placeholder = '{clientId}';

/** The config's `broker.status`. */
export const statusSchema = z.strictObject({
  topic: z
    .string()
    .max(1024)
    .refine((topic) => topic.includes(placeholder), `must contain ${placeholder}`)
    .superRefine((topic, context) => {
      const message = publishTopicFault(statusTopic(topic, 'x'));
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .default('causeway/{clientId}/status')
    .describe(
      'Topic for the status of each connection; `status: {}` turns it on. `{clientId}` is its client id, or `<prefix>-commands`',
    ),
  online: z.string().max(1024).default('online').describe('What it says when it is connected'),
  offline: z
    .string()
    .max(1024)
    .default('offline')
    .describe('What it says when it stops, and the broker by its last will when it dies'),
  qos: z
    .literal([0, 1], 'must be 0 or 1')
    .default(1)
    .describe('QoS of both; with 0, a broker that refuses them by closing is not found out'),
  retain: z.boolean().default(true).describe('Who subscribes later is told, too'),
});

export type StatusSettings = z.output<typeof statusSchema>;

/** The topic of a connection's status; `name` stands for `{clientId}`. */
export function statusTopic(template: string, name: string): string {
  return template.replaceAll(placeholder, name);
}
