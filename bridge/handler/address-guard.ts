// Where a handler may be: which addresses are connected to, checked at the connection itself, so that neither a name
// nor a change of what it stands for leads elsewhere (server-side request forgery).
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

type Subnet = readonly [network: string, prefix: number];

/** A kind of address that is not on the internet; IANA's registries of special-purpose addresses. */
interface AddressKind {
  readonly name: string;
  /** Whether `allowPrivate` lets it pass. */
  readonly isPrivate: boolean;
  readonly subnets: readonly Subnet[];
}

/** The first that holds an address is what it is. */
const kinds: readonly AddressKind[] = [
  {
    // AWS, Google and others; ECS has the credentials of a task under 169.254.170.2. Also those outside of link-local
    // networks: Alibaba, Oracle, Azure, AWS and Google over IPv6.
    name: 'metadata',
    isPrivate: false,
    subnets: [
      ['169.254.169.254', 32],
      ['169.254.170.2', 32],
      ['100.100.100.200', 32],
      ['192.0.0.192', 32],
      ['168.63.129.16', 32],
      ['fd00:ec2::', 32],
      ['fd20:ce::254', 128],
    ],
  },
  {
    name: 'loopback',
    isPrivate: true,
    subnets: [
      ['127.0.0.0', 8],
      ['::1', 128],
    ],
  },
  {
    name: 'private',
    isPrivate: true,
    subnets: [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['fc00::', 7],
    ],
  },
  { name: 'shared (carrier-grade NAT)', isPrivate: true, subnets: [['100.64.0.0', 10]] },
  {
    name: 'link-local',
    isPrivate: false,
    subnets: [
      ['169.254.0.0', 16],
      ['fe80::', 10],
    ],
  },
  {
    name: 'multicast',
    isPrivate: false,
    subnets: [
      ['224.0.0.0', 4],
      ['ff00::', 8],
    ],
  },
  {
    name: 'documentation',
    isPrivate: false,
    subnets: [
      ['192.0.2.0', 24],
      ['198.51.100.0', 24],
      ['203.0.113.0', 24],
      ['2001:db8::', 32],
      ['3fff::', 20],
    ],
  },
  {
    // Teredo and 6to4 hide an IPv4 address, and nobody needs them any more.
    name: 'reserved',
    isPrivate: false,
    subnets: [
      ['0.0.0.0', 8],
      ['192.0.0.0', 24],
      ['192.88.99.0', 24],
      ['198.18.0.0', 15],
      ['240.0.0.0', 4],
      ['2001::', 23],
      ['2002::', 16],
    ],
  },
];

const lists = kinds.map(({ name, isPrivate, subnets }) => {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, familyOf(network));
  return { name, isPrivate, list };
});

/** The part of IPv6 that is given out for the internet; all else is reserved. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Prefixes whose last 32 bits are an IPv4 address: mapped, translated (RFC 2765), and NAT64 (RFC 6052). */
const embedding = new BlockList();
embedding.addSubnet('::ffff:0:0', 96, 'ipv6');
embedding.addSubnet('::ffff:0:0:0', 96, 'ipv6');
embedding.addSubnet('64:ff9b::', 96, 'ipv6');

/** What kind of address that is which a handler must not have, or undefined where it may be connected to. */
export function refusedKind(address: string, allowPrivate: boolean): string | undefined {
  const plain = address.replace(/%.*$/, '');
  if (isIP(plain) === 0) return 'unreadable';
  const family = familyOf(plain);
  if (family === 'ipv6' && embedding.check(plain, 'ipv6'))
    return refusedKind(embeddedIPv4(plain), allowPrivate);
  const kind = lists.find(({ list }) => list.check(plain, family));
  if (kind !== undefined) return kind.isPrivate && allowPrivate ? undefined : kind.name;
  return family === 'ipv6' && !globalUnicast.check(plain, 'ipv6') ? 'reserved' : undefined;
}

/** The rule that a URL breaks by an address as its host, or undefined. `new URL` has made one of its other forms. */
export function addressFault({ hostname }: URL, allowPrivate: boolean): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '');
  const kind = isIP(host) === 0 ? undefined : refusedKind(host, allowPrivate);
  return kind === undefined ? undefined : faultText('is', kind, allowPrivate);
}

/** A name leads to an address that no handler may have. Its message may be shown. */
export class AddressRefused extends Error {}

export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * The `lookup` of a connection: resolves once, and gives on the addresses that were checked. One that is refused
 * refuses all: who mixes them tries to get past this.
 */
export function guardedLookup(
  allowPrivate: boolean,
  resolve: Resolve = systemLookup,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const kind = addresses
        .map(({ address }) => refusedKind(address, allowPrivate))
        .find((refused) => refused !== undefined);
      if (kind !== undefined)
        return callback(
          new AddressRefused(`the handler's name ${faultText('leads to', kind, allowPrivate)}`),
          [],
        );
      const [first] = addresses;
      if (first === undefined)
        return callback(new Error("the handler's name leads to no address"), []);
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

function faultText(leads: string, kind: string, allowPrivate: boolean): string {
  const canPass = lists.some(({ name, isPrivate }) => name === kind && isPrivate);
  const way = canPass && !allowPrivate ? ': set allowPrivate if the handler is there' : '';
  return `${leads} a ${kind} address${way}`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

/** The last 32 bits, as an IPv4 address. */
function embeddedIPv4(address: string): string {
  // In the parser's form the last two groups are hexadecimal, and absent where they are zero at the end.
  const { hostname } = new URL(`http://[${address}]`);
  const tail = hostname.slice(1, -1).split('::').at(-1) ?? '';
  const groups = ['0', '0', ...tail.split(':').filter((group) => group !== '')].slice(-2);
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}
