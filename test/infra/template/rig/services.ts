// The services of a template: the task of each, with its address and its security groups.
import * as z from 'zod';
import type { ProcessNetwork } from './child.ts';
import type { Declared } from './declared.ts';
import { newAddress, type PlacedTask } from './network.ts';
import { environmentOf, type Site } from './site.ts';
import { type RunContainer, type RunningTask, startTask, taskSchema } from './task.ts';

const serviceSchema = z.object({
  DesiredCount: z.literal(1),
  NetworkConfiguration: z.strictObject({
    AwsvpcConfiguration: z.strictObject({
      AssignPublicIp: z.enum(['ENABLED', 'DISABLED']),
      SecurityGroups: z.array(z.string()),
      Subnets: z.array(z.string()),
    }),
  }),
  TaskDefinition: z.string(),
});

export type DeclaredTask = PlacedTask & { readonly definition: z.output<typeof taskSchema> };

/** The task of every service, with an address of its own. */
export function placedTasks(declared: Declared): DeclaredTask[] {
  const definitions = declared.of('AWS::ECS::TaskDefinition', taskSchema);
  return [...declared.of('AWS::ECS::Service', serviceSchema).values()].map((service) => {
    const definition = definitions.get(service.TaskDefinition);
    if (definition === undefined) throw new Error('a service without a task');
    const [container] = definition.ContainerDefinitions;
    return {
      address: newAddress(),
      groupIds: service.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups,
      ports: container.PortMappings.map(({ ContainerPort }) => ContainerPort),
      definition,
    };
  });
}

export function imageOf({ assembly }: Site, { definition }: DeclaredTask) {
  const [{ Image }] = definition.ContainerDefinitions;
  return assembly.imageSource(Image.split(':').at(-1) ?? '');
}

export function startPlacedTask(
  { declared, roles, access, aws, options }: Site,
  { definition, address, ports }: DeclaredTask,
  run: RunContainer,
  network: ProcessNetwork,
): Promise<RunningTask> {
  return startTask({
    definition,
    run,
    access,
    taskRole: roles.roleOf(definition.TaskRoleArn, 'ecs-tasks.amazonaws.com'),
    executionRole: roles.roleOf(definition.ExecutionRoleArn, 'ecs-tasks.amazonaws.com'),
    secrets: declared.secrets,
    environment: { NODE_EXTRA_CA_CERTS: options.caFile, ...environmentOf(aws) },
    network: { ...network, own: { address, ports } },
  });
}
