// The resources of a template as they are declared, all references resolved: each type by its schema, which refuses
// properties that nothing here would honour.
import { randomBytes, randomInt } from 'node:crypto';
import * as z from 'zod';
import type { Assembly } from './assembly.ts';
import { arnOfSecret, hasUrl, type Identity, identityOf, pseudoParameters } from './identities.ts';
import { resolve } from './intrinsics.ts';
import { type Policies, policyDocumentSchema, type Statement } from './policies.ts';

/** Nothing of it runs; it only tells AWS which constructs are used. */
const metadataType = 'AWS::CDK::Metadata';

export interface Declared {
  readonly outputs: Readonly<Record<string, string>>;
  /** What the values of secrets were made of, by ARN. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Resources of a type, by what `Ref` is. */
  of<S extends z.ZodType>(type: string, schema: S): Map<string, z.output<S>>;
}

/** Logical ids, but for the hash that CDK appends. */
export function nameOf(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}

/** `urls` are those of the resources that have one, by logical id; `secrets` those that are there already. */
export function declaredIn(
  { template, stackName }: Assembly,
  urls: ReadonlyMap<string, string>,
  givenSecrets: ReadonlyMap<string, string>,
): Declared {
  const resources = new Map(
    Object.entries(template.Resources).filter(([, { Type }]) => Type !== metadataType),
  );
  const suffix = randomBytes(4).toString('hex');
  const identities = new Map<string, Identity>();
  for (const [id, resource] of resources) {
    // The database is shared.
    const name = resource.Type.startsWith('AWS::DynamoDB') ? `${id}-${suffix}` : nameOf(id);
    const url = urls.get(id);
    if (hasUrl.has(resource.Type) && url === undefined) throw new Error(`${id} has no URL`);
    identities.set(id, identityOf(name, url ?? '', resource));
  }
  const refs = new Set([...identities.values()].map(({ ref }) => ref));
  if (refs.size < identities.size) throw new Error('two resources have one name');

  const identity = (id: string) => {
    const found = identities.get(id);
    if (found === undefined) throw new Error(`no resource ${id}`);
    return found;
  };
  const secrets = new Map(givenSecrets);
  const names = {
    ref: (name: string) =>
      name === 'AWS::StackName' ? stackName : (pseudoParameters[name] ?? identity(name).ref),
    attribute(id: string, name: string) {
      const value = identity(id).attributes[name];
      if (value === undefined) throw new Error(`unknown attribute ${id}.${name}`);
      return value;
    },
    secret(id: string, field: string | undefined) {
      const value = secrets.get(arnOfSecret(id));
      if (value === undefined) throw new Error(`no secret ${id}`);
      return field === undefined ? value : String(JSON.parse(value)[field]);
    },
  };
  for (const [id, { Type, Properties }] of resources) {
    if (Type === 'AWS::SecretsManager::Secret')
      secrets.set(names.ref(id), generated(secretSchema.parse(Properties).GenerateSecretString));
  }
  const properties = new Map(
    [...resources].map(([id, { Properties }]) => [id, resolve(Properties, names)]),
  );
  return {
    secrets,
    outputs: Object.fromEntries(
      Object.entries(template.Outputs).map(([id, { Value }]) => [
        id,
        String(resolve(Value, names)),
      ]),
    ),
    of(type, schema) {
      const found = [...resources].filter(([, { Type }]) => Type === type);
      return new Map(
        found.map(([id]) => {
          const parsed = schema.safeParse(properties.get(id));
          if (!parsed.success) throw new Error(`${id}: ${z.prettifyError(parsed.error)}`);
          return [identity(id).ref, parsed.data];
        }),
      );
    },
  };
}

const secretSchema = z.strictObject({
  Description: z.string(),
  GenerateSecretString: z.strictObject({
    PasswordLength: z.int(),
    ExcludePunctuation: z.literal(true),
  }),
});

function generated({ PasswordLength }: { PasswordLength: number }): string {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: PasswordLength }, () => characters[randomInt(62)]).join('');
}

const namedPolicy = { PolicyName: z.string(), PolicyDocument: policyDocumentSchema };
const roleSchema = z.strictObject({
  AssumeRolePolicyDocument: z.object({
    Statement: z.tuple([
      z.strictObject({
        Action: z.literal('sts:AssumeRole'),
        Effect: z.literal('Allow'),
        Principal: z.strictObject({ Service: z.string() }),
      }),
    ]),
  }),
  Policies: z.array(z.strictObject(namedPolicy)).default([]),
  Tags: z.unknown().optional(),
});
const policySchema = z.strictObject({ ...namedPolicy, Roles: z.array(z.string()) });

export interface Roles {
  readonly policies: Policies;
  /** The name of a role that a service may take on. Throws where it may not. */
  roleOf(arn: string, service: string): string;
}

export function rolesOf(declared: Declared): Roles {
  const roles = declared.of('AWS::IAM::Role', roleSchema);
  const policies = new Map<string, Statement[]>();
  for (const [name, { Policies: inline }] of roles)
    policies.set(
      name,
      inline.flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
    );
  for (const { Roles: names, PolicyDocument } of declared
    .of('AWS::IAM::Policy', policySchema)
    .values())
    for (const name of names) policies.get(name)?.push(...PolicyDocument.Statement);
  return {
    policies,
    roleOf(arn, service) {
      const name = arn.split('role/')[1] ?? '';
      const trusted = roles.get(name)?.AssumeRolePolicyDocument.Statement[0].Principal.Service;
      if (trusted !== service) throw new Error(`${service} cannot take on ${arn}`);
      return name;
    },
  };
}
