// The services of a template: the task of each, with its private name and its security groups.
import * as z from 'zod';
import type { ProcessNetwork } from './child.ts';
import type { Declared } from './declared.ts';
import { type NamedTask, newAddress } from './network.ts';
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
  ServiceRegistries: z.tuple([z.strictObject({ RegistryArn: z.string() })]),
  TaskDefinition: z.string(),
});
const namespaceSchema = z.object({ Name: z.string() });
const registrySchema = z.object({ Name: z.string(), NamespaceId: z.string() });

export type DeclaredTask = NamedTask & { readonly definition: z.output<typeof taskSchema> };

/** The task of every service, under the name that Cloud Map has for it. */
export function namedTasks(declared: Declared): DeclaredTask[] {
  const namespaces = declared.of('AWS::ServiceDiscovery::PrivateDnsNamespace', namespaceSchema);
  const registries = declared.of('AWS::ServiceDiscovery::Service', registrySchema);
  const definitions = declared.of('AWS::ECS::TaskDefinition', taskSchema);
  return [...declared.of('AWS::ECS::Service', serviceSchema).values()].map((service) => {
    const registry = registries.get(
      service.ServiceRegistries[0].RegistryArn.split('service/')[1] ?? '',
    );
    const namespace = namespaces.get(registry?.NamespaceId ?? '');
    const definition = definitions.get(service.TaskDefinition);
    if (registry === undefined || namespace === undefined || definition === undefined)
      throw new Error('a service without name or task');
    const [container] = definition.ContainerDefinitions;
    return {
      name: `${registry.Name}.${namespace.Name}`,
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

export function startNamedTask(
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
