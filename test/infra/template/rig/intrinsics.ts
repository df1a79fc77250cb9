// The intrinsic functions of CloudFormation that the template uses; any other one is an error.

/** What the names in a template stand for. */
export interface Names {
  /** `Ref` of a resource, a parameter or a pseudo parameter. */
  ref(name: string): string;
  /** `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): string;
  /** Value of a secret, or of a field of its JSON. */
  secret(id: string, field: string | undefined): string;
}

/** A value of the template as CloudFormation hands it to a service. Throws for what it does not know. */
export function resolve(value: unknown, names: Names): unknown {
  return withSecrets(withoutIntrinsics(value, names), names);
}

function withoutIntrinsics(value: unknown, names: Names): unknown {
  const walk = (inner: unknown) => withoutIntrinsics(inner, names);
  const text = (inner: unknown) => {
    const resolved = walk(inner);
    if (typeof resolved !== 'string') throw new Error(`not a text: ${JSON.stringify(inner)}`);
    return resolved;
  };
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[name, argument] = ['', undefined]] = entries;
  if (name !== 'Ref' && !name.startsWith('Fn::'))
    return Object.fromEntries(entries.map(([key, inner]) => [key, walk(inner)]));
  if (entries.length !== 1) throw new Error(`${name} is not alone: ${JSON.stringify(value)}`);
  const list = Array.isArray(argument) ? argument : [];
  switch (name) {
    case 'Ref':
      return names.ref(String(argument));
    case 'Fn::GetAtt': {
      const [id, ...path] = typeof argument === 'string' ? argument.split('.') : list;
      return names.attribute(String(id), path.join('.'));
    }
    case 'Fn::Join':
      return (walk(list[1]) as unknown[]).map(text).join(text(list[0]));
    case 'Fn::Split':
      return text(list[1]).split(text(list[0]));
    case 'Fn::Select':
      return (walk(list[1]) as unknown[])[Number(list[0])];
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => `${text(argument) || names.ref('AWS::Region')}${zone}`);
    case 'Fn::Sub':
      return substituted(argument, names);
    default:
      throw new Error(`unknown intrinsic function ${name}`);
  }
}

function substituted(argument: unknown, names: Names): string {
  const [pattern, given] = Array.isArray(argument) ? argument : [argument, {}];
  const values = withoutIntrinsics(given, names) as Record<string, string>;
  return String(pattern).replace(/\$\{(!?)([^}]+)\}/g, (_, mark: string, name: string) => {
    if (mark !== '') return `\${${name}}`;
    const value = values[name];
    if (value !== undefined) return value;
    const [id = '', ...path] = name.split('.');
    return path.length === 0 ? names.ref(id) : names.attribute(id, path.join('.'));
  });
}

/** Dynamic references: `{{resolve:secretsmanager:<id or ARN>:SecretString:<field>:<stage>:<version>}}`. */
function withSecrets(value: unknown, names: Names): unknown {
  const walk = (inner: unknown) => withSecrets(inner, names);
  if (typeof value === 'string') return revealed(value, names);
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
}

function revealed(text: string, names: Names): string {
  const filled = text.replace(
    /\{\{resolve:secretsmanager:([^{}]+?):SecretString:([^:{}]*):([^:{}]*):([^:{}]*)\}\}/g,
    (_, id: string, field: string, stage: string, version: string) => {
      if (stage !== '' || version !== '') throw new Error(`${text}: unknown stage or version`);
      return names.secret(id, field === '' ? undefined : field);
    },
  );
  if (filled.includes('{{resolve:')) throw new Error(`unknown dynamic reference: ${filled}`);
  return filled;
}
