// What the parts of one deployment share: what is declared, who may do what, and the AWS that they call.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Access } from './access.ts';
import type { Assembly } from './assembly.ts';
import type { AwsEndpoint } from './aws.ts';
import type { ProcessNetwork } from './child.ts';
import type { Declared, Roles } from './declared.ts';
import { region } from './identities.ts';
import type { Credentials } from './sigv4.ts';
import type { RunContainer } from './task.ts';
import type { Certificate } from './world.ts';

export interface DeployOptions {
  readonly database: { readonly client: DynamoDBClient; readonly endpoint: string };
  /** Values of the secrets that the user has made, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Makes a program of an image's source, which may read `files`. */
  readonly runnerOf: (
    source: { context: string; dockerfile: string },
    files: readonly string[],
  ) => RunContainer | Promise<RunContainer>;
  /** The CA that all trust. */
  readonly caFile: string;
  /** Of Lambda's API, by that CA. */
  readonly certificate: Certificate;
}

export interface Site {
  readonly assembly: Assembly;
  readonly declared: Declared;
  readonly roles: Roles;
  readonly access: Access;
  readonly aws: AwsEndpoint;
  readonly options: DeployOptions;
}

/** The network of a process in these security groups. */
export type NetworkOfGroups = (groupIds: readonly string[]) => ProcessNetwork;

/** What programs of AWS's SDK find in their environment. */
export function environmentOf(aws: AwsEndpoint, credentials?: Credentials): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // Of all services: a call of an unexpected one is refused there.
    AWS_ENDPOINT_URL: aws.url,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...(credentials !== undefined && {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
    }),
  };
}
