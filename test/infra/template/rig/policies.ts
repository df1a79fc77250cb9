// What roles may do, by the policies of the template: a small part of IAM, which refuses what it does not know.
import * as z from 'zod';

const textList = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

const statementSchema = z.strictObject({
  Effect: z.literal('Allow'),
  Action: textList,
  Resource: textList,
  Condition: z
    .strictObject({
      StringEquals: z.record(z.string(), z.string()).default({}),
      Bool: z.record(z.string(), z.boolean()).default({}),
    })
    .optional(),
});

export const policyDocumentSchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(statementSchema),
});

export type Statement = z.output<typeof statementSchema>;

/** Statements by the name of the role. */
export type Policies = ReadonlyMap<string, readonly Statement[]>;

/** Something that a role does. */
export interface Use {
  readonly role: string;
  /** Such as `dynamodb:GetItem`. */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** Condition keys. */
  readonly context?: Readonly<Record<string, string | boolean>>;
}

export function isAllowed(policies: Policies, use: Use): boolean {
  return (policies.get(use.role) ?? []).some((statement) => covers(statement, use));
}

/** Actions that statements allow, each as `<role> <action> <resource>`, but for those that were used. */
export function unusedOf(policies: Policies, uses: readonly Use[]): string[] {
  return [...policies].flatMap(([role, statements]) =>
    statements.flatMap(({ Action, Resource, Condition }) =>
      Action.flatMap((action) =>
        Resource.filter((resource) => {
          const one: Statement = {
            Effect: 'Allow',
            Action: [action],
            Resource: [resource],
            Condition,
          };
          return !uses.some((use) => use.role === role && covers(one, use));
        }).map((resource) => `${role} ${action} ${resource}`),
      ),
    ),
  );
}

function covers({ Action, Resource, Condition }: Statement, use: Use): boolean {
  const { StringEquals = {}, Bool = {} } = Condition ?? {};
  const conditions = Object.entries({ ...StringEquals, ...Bool });
  return (
    Action.some((pattern) => matches(pattern.toLowerCase(), use.action.toLowerCase())) &&
    Resource.some((pattern) => matches(pattern, use.resource)) &&
    conditions.every(([key, value]) => use.context?.[key] === value)
  );
}

/** `*` stands for any characters, `?` for one. */
export function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
