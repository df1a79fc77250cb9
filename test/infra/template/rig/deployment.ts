// A deployment of a synthesized stack on this machine: from its template and assets alone.
import { createServer, type Server } from 'node:http';
import { type Access, createAccess } from './access.ts';
import type { Assembly } from './assembly.ts';
import { startAws } from './aws.ts';
import { declaredIn, nameOf, rolesOf } from './declared.ts';
import type { RunningFunction } from './function.ts';
import { startFunctions } from './functions.ts';
import { listenLocally } from './http.ts';
import { httpApis } from './http-api.ts';
import { hasUrl, lambdaHost, secretArn } from './identities.ts';
import { startLambdaApi } from './lambda-api.ts';
import { metricsIn } from './metrics.ts';
import { networkOf, securityGroupsOf } from './network.ts';
import type { Policies } from './policies.ts';
import { imageOf, placedTasks, startPlacedTask } from './services.ts';
import { type DeployOptions, environmentOf, type Site } from './site.ts';
import { createTable, tableSchema } from './tables.ts';
import type { RunningTask } from './task.ts';

export interface Deployment {
  readonly outputs: Readonly<Record<string, string>>;
  readonly policies: Policies;
  readonly access: Access;
  /** Where Lambda's API is. */
  readonly lambdaUrl: string;
  readonly functions: ReadonlyMap<string, RunningFunction>;
  /** Names of the tables. */
  readonly tables: readonly string[];
  /** The one task that runs now. */
  task(): RunningTask;
  /** Exit code of the task, which is stopped as ECS does it. */
  stopTask(): Promise<number | null>;
  startTask(): Promise<void>;
  /** What AWS programs of a role, or of the operator, find in their environment. */
  environmentOf(role: string): Record<string, string>;
  /** Everything that programs have logged. */
  logs(): string;
  /** What its metric filters have found in the log of the tasks: values by the name of the metric. */
  metrics(): ReadonlyMap<string, readonly number[]>;
  close(): Promise<void>;
}

export async function deploy(assembly: Assembly, options: DeployOptions): Promise<Deployment> {
  const servers = new Map<string, { server: Server; url: string }>();
  for (const [id, { Type }] of Object.entries(assembly.template.Resources)) {
    if (!hasUrl.has(Type)) continue;
    const server = createServer();
    servers.set(id, { server, url: await listenLocally(server) });
  }
  const byId = new Map([...servers].map(([id, { url }]) => [id, url]));
  const given = Object.entries(options.secrets).map(
    ([name, value]) => [secretArn(name), value] as const,
  );
  const declared = declaredIn(assembly, byId, new Map(given));
  const roles = rolesOf(declared);
  const access = createAccess(roles.policies);

  const removals: (() => Promise<unknown>)[] = [];
  const tables = declared.of('AWS::DynamoDB::GlobalTable', tableSchema);
  for (const [name, table] of tables)
    removals.push(await createTable(options.database.client, name, table));

  const aws = await startAws({
    access,
    dynamoDbUrl: options.database.endpoint,
    secrets: declared.secrets,
  });
  const site: Site = { assembly, declared, roles, access, aws, options };
  const servicePorts = [aws.url, ...byId.values()].map((url) => Number(new URL(url).port));
  const tasks = placedTasks(declared);
  const network = (groupIds: readonly string[]) =>
    networkOf(groupIds, tasks, securityGroupsOf(declared), servicePorts);

  const functions = await startFunctions(site, network);
  const lambda = await startLambdaApi({ access, certificate: options.certificate, functions });
  const listeners = new Map(httpApis(site, functions));
  for (const [id, { server }] of servers) {
    const listener = listeners.get(nameOf(id));
    if (listener === undefined) throw new Error(`nothing answers at ${id}`);
    server.on('request', listener);
  }
  const [declaredTask] = tasks;
  if (declaredTask === undefined || tasks.length > 1) throw new Error('not one service');
  const run = await options.runnerOf(imageOf(site, declaredTask), [options.caFile]);
  const services = { [lambdaHost]: Number(new URL(lambda.url).port) };
  const ofTask = { ...network(declaredTask.groupIds), services };
  const start = () => startPlacedTask(site, declaredTask, run, ofTask);
  const started = [await start()];
  const task = () => started.at(-1) as RunningTask;

  return {
    outputs: declared.outputs,
    policies: roles.policies,
    access,
    lambdaUrl: lambda.url,
    functions,
    tables: [...tables.keys()],
    task,
    stopTask: () => task().stop(),
    async startTask() {
      started.push(await start());
    },
    environmentOf: (role) => environmentOf(aws, access.credentialsOf(role)),
    logs: () => [...functions.values(), ...started].map(({ output }) => output()).join('\n'),
    metrics: () => metricsIn(declared, started.map(({ output }) => output()).join('\n')),
    async close() {
      await task().stop();
      for (const one of functions.values()) await one.close();
      for (const { server } of servers.values()) {
        server.close();
        server.closeAllConnections();
      }
      aws.close();
      lambda.close();
      for (const remove of removals) await remove();
    },
  };
}
