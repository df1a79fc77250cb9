// Who can reach whom: security groups, and the addresses of tasks.
import * as z from 'zod';
import type { ProcessNetwork } from './child.ts';
import type { Declared } from './declared.ts';

const rule = {
  Description: z.string().optional(),
  IpProtocol: z.literal('tcp'),
  FromPort: z.int(),
  ToPort: z.int(),
};
const outsideRule = z.strictObject({ ...rule, CidrIp: z.literal('0.0.0.0/0') });

const securityGroupSchema = z.strictObject({
  GroupDescription: z.string(),
  VpcId: z.string(),
  SecurityGroupEgress: z.array(outsideRule),
});
const egressSchema = z.strictObject({
  ...rule,
  GroupId: z.string(),
  DestinationSecurityGroupId: z.string(),
});
const ingressSchema = z.strictObject({
  ...rule,
  GroupId: z.string(),
  SourceSecurityGroupId: z.string(),
});

interface SecurityGroups {
  /** By id. */
  readonly groups: ReadonlyMap<string, z.output<typeof securityGroupSchema>>;
  readonly egress: readonly z.output<typeof egressSchema>[];
  readonly ingress: readonly z.output<typeof ingressSchema>[];
}

export function securityGroupsOf(declared: Declared): SecurityGroups {
  return {
    groups: declared.of('AWS::EC2::SecurityGroup', securityGroupSchema),
    egress: [...declared.of('AWS::EC2::SecurityGroupEgress', egressSchema).values()],
    ingress: [...declared.of('AWS::EC2::SecurityGroupIngress', ingressSchema).values()],
  };
}

/** A task with its address in the network. */
export interface PlacedTask {
  readonly address: string;
  readonly groupIds: readonly string[];
  readonly ports: readonly number[];
}

/** Loopback addresses are as many as tasks: each has its own, so that ports are those of the template. */
export function newAddress(): string {
  const byte = () => 1 + Math.floor(Math.random() * 254);
  return `127.${byte()}.${byte()}.${byte()}`;
}

/**
 * The network of a process in these security groups. Without any, it is not in the VPC: it reaches the internet, and
 * no task. `servicePorts` stand for AWS's own ports, which are all 443.
 */
export function networkOf(
  groupIds: readonly string[],
  tasks: readonly PlacedTask[],
  { groups, egress, ingress }: SecurityGroups,
  servicePorts: readonly number[],
): ProcessNetwork {
  if (groupIds.length === 0) return { hosts: {} };
  const outside = groupIds.flatMap((id) => groups.get(id)?.SecurityGroupEgress ?? []);
  const isOpen = (rules: readonly { FromPort: number; ToPort: number }[], port: number) =>
    rules.some(({ FromPort, ToPort }) => FromPort <= port && port <= ToPort);
  const hosts = tasks.map(({ address, groupIds: targets, ports }) => {
    const out = egress.filter(
      (one) => groupIds.includes(one.GroupId) && targets.includes(one.DestinationSecurityGroupId),
    );
    const into = ingress.filter(
      (one) => targets.includes(one.GroupId) && groupIds.includes(one.SourceSecurityGroupId),
    );
    const open = ports.filter((port) => isOpen([...outside, ...out], port) && isOpen(into, port));
    return [address, { address, ports: open }] as const;
  });
  const ranges = outside.map(({ FromPort, ToPort }) => [FromPort, ToPort] as const);
  const services = isOpen(outside, 443) ? servicePorts : [];
  return {
    hosts: Object.fromEntries(hosts),
    outside: [...ranges, ...services.map((port) => [port, port] as const)],
  };
}
