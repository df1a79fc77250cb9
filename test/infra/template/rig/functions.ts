// The functions of a template, each ready for its first event.
import * as z from 'zod';
import { type RunningFunction, startFunction } from './function.ts';
import { arn } from './identities.ts';
import { environmentOf, type NetworkOfGroups, type Site } from './site.ts';

const functionSchema = z.strictObject({
  Architectures: z.tuple([z.literal('arm64')]),
  Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
  Description: z.string(),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()) }),
  Handler: z.string(),
  LoggingConfig: z.object({ ApplicationLogLevel: z.string(), LogFormat: z.string() }),
  MemorySize: z.int(),
  Role: z.string(),
  Runtime: z.literal('nodejs24.x'),
  Timeout: z.int(),
  VpcConfig: z
    .strictObject({ SecurityGroupIds: z.array(z.string()), SubnetIds: z.array(z.string()) })
    .optional(),
});

export async function startFunctions(
  { assembly, declared, roles, access, aws, options }: Site,
  network: NetworkOfGroups,
): Promise<Map<string, RunningFunction>> {
  const functions = new Map<string, RunningFunction>();
  for (const [name, one] of declared.of('AWS::Lambda::Function', functionSchema)) {
    const role = roles.roleOf(one.Role, 'lambda.amazonaws.com');
    functions.set(
      name,
      await startFunction({
        name,
        arn: arn('lambda', `function:${name}`),
        folder: assembly.folderOf(one.Code.S3Key),
        handler: one.Handler,
        timeoutMs: one.Timeout * 1000,
        memoryMiB: one.MemorySize,
        environment: {
          NODE_EXTRA_CA_CERTS: options.caFile,
          ...one.Environment.Variables,
          ...environmentOf(aws, access.credentialsOf(role)),
          AWS_LAMBDA_LOG_FORMAT: one.LoggingConfig.LogFormat,
          AWS_LAMBDA_LOG_LEVEL: one.LoggingConfig.ApplicationLogLevel,
        },
        network: network(one.VpcConfig?.SecurityGroupIds ?? []),
      }),
    );
  }
  return functions;
}

/** The function that an ARN names. */
export function functionOf(functions: ReadonlyMap<string, RunningFunction>, functionArn: string) {
  const found = functions.get(functionArn.split(':function:')[1] ?? '');
  if (found === undefined) throw new Error(`no function ${functionArn}`);
  return found;
}
