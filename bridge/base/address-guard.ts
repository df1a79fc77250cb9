// Where a handler may be: which addresses are connected to, checked at the connection itself, so that neither a name
// nor a change of what it stands for leads elsewhere (server-side request forgery).
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A kind of address that is not on the internet. */
type Kind =
  | 'metadata'
  | 'loopback'
  | 'private'
  | 'shared (carrier-grade NAT)'
  | 'link-local'
  | 'multicast'
  | 'documentation'
  | 'reserved'
  | 'unreadable';

/** What `allowPrivate` lets pass. */
const privateKinds: readonly Kind[] = ['loopback', 'private', 'shared (carrier-grade NAT)'];

type Subnet = ReturnType<typeof ipaddr.parseCIDR>;

const subnets = (...texts: readonly string[]): readonly Subnet[] => texts.map(ipaddr.parseCIDR);

/** Where clouds give out credentials. They are in ranges of several kinds, some of which `allowPrivate` lets pass. */
const metadata = subnets(
  // AWS, Google and others; ECS has the credentials of a task under 169.254.170.2.
  '169.254.169.254/32',
  '169.254.170.2/32',
  // Outside of link-local networks: Alibaba, Oracle, Azure, AWS and Google over IPv6.
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
);

const documentation = subnets(
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8::/32',
  '3fff::/20',
);

/** The part of IPv6 that is given out for the internet; all else is reserved. */
const globalUnicast = subnets('2000::/3');

/** Prefixes whose last 32 bits are an IPv4 address: mapped, translated (RFC 2765), and NAT64 (RFC 6052). */
const embedding = subnets('::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96');

/** By the library's names for IANA's ranges of special purpose; what is not here is reserved. */
const kinds: Readonly<Record<string, Kind>> = {
  loopback: 'loopback',
  private: 'private',
  uniqueLocal: 'private',
  carrierGradeNat: 'shared (carrier-grade NAT)',
  linkLocal: 'link-local',
  multicast: 'multicast',
};

/** What kind of address that is which a handler must not have, or undefined where it may be connected to. */
export function refusedKind(address: string, allowPrivate: boolean): Kind | undefined {
  const kind = kindOf(address.replace(/%.*$/, ''));
  return allowPrivate && kind !== undefined && privateKinds.includes(kind) ? undefined : kind;
}

function kindOf(text: string): Kind | undefined {
  const address = parsed(text);
  if (address === undefined) return 'unreadable';
  if (isIn(address, metadata)) return 'metadata';
  if (isIn(address, documentation)) return 'documentation';
  const range = address.range();
  const isOnInternet = address.kind() === 'ipv4' || isIn(address, globalUnicast);
  return range === 'unicast' && isOnInternet ? undefined : (kinds[range] ?? 'reserved');
}

/** An IPv4 address also where it is written as IPv6. */
function parsed(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const version = isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return ipaddr.IPv4.parse(text);
  // In the URL parser's form: the library would take the old `::8.8.8.8` for a mapped address.
  const address = ipaddr.IPv6.parse(new URL(`http://[${text}]`).hostname.slice(1, -1));
  return isIn(address, embedding) ? new ipaddr.IPv4(address.toByteArray().slice(12)) : address;
}

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, networks: readonly Subnet[]): boolean {
  return networks.some(
    ([network, prefix]) => network.kind() === address.kind() && address.match(network, prefix),
  );
}

/** Whether only this machine or a network of the user's own has this address; a name is none. */
export function isPrivateAddress(address: string): boolean {
  const kind = isIP(address) === 0 ? undefined : refusedKind(address, false);
  return kind === 'loopback' || kind === 'private';
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

function faultText(leads: string, kind: Kind, allowPrivate: boolean): string {
  const canPass = privateKinds.includes(kind);
  const way = canPass && !allowPrivate ? ': set allowPrivate if the handler is there' : '';
  return `${leads} a ${kind} address${way}`;
}
