// The config's section `bridge`: how large its tasks are on Fargate, how many, and where they run.
import * as z from 'zod';
import { memoryMiB } from '../../bridge/config/memory.ts';
import { secretName } from '../../bridge/config/names.ts';
import { urlWith } from '../../functions/contract/parse.ts';

/** Memory in MiB that Fargate has for each number of CPU units. */
const fargateSizes: Readonly<Record<number, readonly number[]>> = {
  256: [512, 1024, 2048],
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
};

/** Each renews an item and looks at those of all others; the api asks them all. */
const maxTasks = 16;

export const bridgeSchema = z
  .strictObject({
    cpu: z
      .literal([256, 512, 1024], 'must be 256, 512 or 1024')
      .default(256)
      .describe('CPU units, 1024 for one; a task does not use more: have more tasks'),
    memoryMiB,
    tasks: z
      .int()
      .min(1)
      .max(maxTasks)
      .default(1)
      .describe(
        'Tasks, which share the connections of the routes evenly; where one fails, the others take over after the time of its leases (35 s by default)',
      ),
    scaling: z
      .strictObject({
        maxTasks: z.int().min(2).max(maxTasks).describe('Maximum tasks; `tasks` is the minimum'),
        cpuPercent: z
          .int()
          .min(10)
          .max(90)
          .default(60)
          .describe('CPU of the tasks, on average, that more of them keep it below'),
      })
      .optional()
      .describe('More tasks while there is more to do; without it there are always as many'),
    spot: z
      .boolean()
      .default(false)
      .describe(
        'Fargate Spot: cheaper; may be away for minutes, while the broker keeps the backlog',
      ),
    natGateway: z
      .boolean()
      .default(false)
      .describe('Leave by one fixed address, fit for the allow list of a broker'),
    vpcId: z
      .string()
      .regex(/^vpc-[0-9a-f]{8,17}$/, 'must be the id of a VPC, such as vpc-0123456789abcdef0')
      .optional()
      .describe(
        'Run in this VPC, instead of one of its own; its private subnets must reach DynamoDB',
      ),
    traces: z
      .strictObject({
        endpoint: urlWith('http:', 'https:').describe(
          'Collector of OpenTelemetry that gets spans, by OTLP over HTTP',
        ),
        headersSecret: secretName
          .optional()
          .describe(
            'Secret with headers for it, as name=value, percent-encoded, with commas between several',
          ),
        ratio: z
          .number()
          .min(0)
          .max(1)
          .multipleOf(0.0001, 'must have at most four decimals')
          .default(0.01)
          .describe(
            'Share of the traces that begin at the bridge; those of devices and callers are taken where they say so',
          ),
      })
      .optional(),
  })
  .superRefine(({ cpu, memoryMiB, tasks, scaling }, context) => {
    if (scaling !== undefined && scaling.maxTasks <= tasks)
      context.addIssue({
        code: 'custom',
        path: ['scaling', 'maxTasks'],
        message: `must be above bridge.tasks, which is ${tasks}, or leave scaling out`,
      });
    const sizes = fargateSizes[cpu] ?? [];
    if (sizes.includes(memoryMiB)) return;
    const message = `must be one of ${sizes.join(', ')} with bridge.cpu ${cpu} (Fargate)`;
    context.addIssue({ code: 'custom', path: ['memoryMiB'], message });
  });

export type BridgeSettings = z.output<typeof bridgeSchema>;
