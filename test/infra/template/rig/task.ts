// A Fargate task: its container's program as a process, with the environment, secrets and role that are declared.
import { createServer } from 'node:http';
import * as z from 'zod';
import type { Access } from './access.ts';
import { type Child, networkText, type ProcessNetwork, preload, startChild } from './child.ts';
import { listenLocally } from './http.ts';
import type { Built } from './image.ts';

/** Where a container asks who it is. */
const metadataPath = '/v4';

const nameAndValue = z.array(z.strictObject({ Name: z.string(), Value: z.string() }));

export const taskSchema = z.strictObject({
  ContainerDefinitions: z.tuple([
    z.strictObject({
      Name: z.string(),
      Image: z.string(),
      Essential: z.literal(true),
      Environment: nameAndValue,
      Secrets: z.array(z.strictObject({ Name: z.string(), ValueFrom: z.string() })).default([]),
      HealthCheck: z.strictObject({
        Command: z.tuple([z.literal('CMD')], z.string()),
        Interval: z.int(),
        Retries: z.int(),
        StartPeriod: z.int(),
        Timeout: z.int(),
      }),
      LogConfiguration: z.unknown(),
      PortMappings: z.array(z.strictObject({ ContainerPort: z.int(), Protocol: z.literal('tcp') })),
      ReadonlyRootFilesystem: z.boolean(),
      StopTimeout: z.int(),
      User: z.string(),
    }),
  ]),
  Cpu: z.string(),
  Memory: z.string(),
  Family: z.string(),
  NetworkMode: z.literal('awsvpc'),
  RequiresCompatibilities: z.tuple([z.literal('FARGATE')]),
  RuntimePlatform: z.unknown(),
  ExecutionRoleArn: z.string(),
  TaskRoleArn: z.string(),
});

export type TaskDefinition = z.output<typeof taskSchema>;
export type ContainerDefinition = TaskDefinition['ContainerDefinitions'][0];

/** How a container's program is run: as a process, or in a container. */
export type RunContainer = (
  definition: ContainerDefinition,
  environment: Readonly<Record<string, string>>,
) => RunningContainer;

export interface RunningContainer {
  readonly child: Child;
  /** Exit code of a command in it. */
  execute(command: readonly string[]): Promise<number | null>;
}

export interface RunningTask {
  readonly output: () => string;
  /** Whether its health check succeeds. */
  isHealthy(): Promise<boolean>;
  /** Exit code of a command in its container. */
  execute(command: readonly string[]): Promise<number | null>;
  /** As ECS stops it; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Runs the program that a Dockerfile makes as a process here. */
export function asProcess({ folder, node, parameters, environment: ofImage }: Built): RunContainer {
  return (_, environment) => {
    const all = { ...ofImage, ...environment };
    const preloaded = ['--require', preload('network')];
    return {
      child: startChild(process.execPath, [...preloaded, ...parameters], {
        folder,
        environment: all,
      }),
      execute([command, ...rest]) {
        if (command !== node) throw new Error(`the image has no ${command}`);
        return startChild(process.execPath, [...preloaded, ...rest], { environment: all }).exited;
      },
    };
  };
}

export interface TaskOptions {
  readonly definition: TaskDefinition;
  readonly run: RunContainer;
  readonly access: Access;
  /** Names of the roles. */
  readonly taskRole: string;
  readonly executionRole: string;
  /** Values by ARN. */
  readonly secrets: ReadonlyMap<string, string>;
  /** What ECS adds to what is declared. */
  readonly environment: Readonly<Record<string, string>>;
  readonly network: ProcessNetwork;
}

export async function startTask(options: TaskOptions): Promise<RunningTask> {
  const { definition, access, executionRole, network } = options;
  const [container] = definition.ContainerDefinitions;
  const credentials = access.credentialsOf(options.taskRole);
  const networks = [{ NetworkMode: 'awsvpc', IPv4Addresses: [network.own?.address] }];
  const server = createServer(({ url }, response) =>
    response.end(
      JSON.stringify(
        url === metadataPath
          ? { Networks: networks }
          : {
              AccessKeyId: credentials.accessKeyId,
              SecretAccessKey: credentials.secretAccessKey,
              Token: credentials.sessionToken,
              Expiration: new Date(Date.now() + 3_600_000).toISOString(),
            },
      ),
    ),
  );
  const credentialsUrl = await listenLocally(server);

  const secretOf = (resource: string) => {
    const value = options.secrets.get(resource);
    const action = 'secretsmanager:GetSecretValue';
    if (value === undefined || !access.use(executionRole, { action, resource }))
      throw new Error(`ResourceInitializationError: ${executionRole} cannot read ${resource}`);
    return value;
  };
  const environment = {
    ...options.environment,
    ...Object.fromEntries(container.Environment.map(({ Name, Value }) => [Name, Value])),
    ...Object.fromEntries(
      container.Secrets.map(({ Name, ValueFrom }) => [Name, secretOf(ValueFrom)]),
    ),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: credentialsUrl,
    ECS_CONTAINER_METADATA_URI_V4: `${credentialsUrl}${metadataPath}`,
    TEST_NETWORK: networkText(network, credentialsUrl),
  };
  const { child, execute } = options.run(container, environment);
  return {
    output: child.output,
    execute,
    async isHealthy() {
      const [, ...command] = container.HealthCheck.Command;
      return child.process.exitCode === null && (await execute(command)) === 0;
    },
    async stop() {
      const timer = setTimeout(() => child.process.kill('SIGKILL'), container.StopTimeout * 1000);
      child.process.kill('SIGTERM');
      const code = await child.exited;
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
      return code;
    },
  };
}
