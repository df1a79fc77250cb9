// Where requests must not go: addresses, and the ways to write them in a URL.

import { expect, test } from 'vitest';
import { refusedKind } from '../../../bridge/base/address-guard.ts';
import { fc } from '../../support/property.ts';
import { routeFaults } from '../handler/routes.ts';

const passable = ['loopback', 'private', 'shared (carrier-grade NAT)'];

/** Addresses by the kind that they are refused as. */
const refused: Readonly<Record<string, readonly string[]>> = {
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '::ffff:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '::ffff:0:127.0.0.1',
  ],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    'fc00::1',
    'fd12:3456::1',
    '::ffff:10.0.0.1',
    '::ffff:c0a8:1',
    '64:ff9b::a00:1',
    '64:ff9b::192.168.0.0',
  ],
  'shared (carrier-grade NAT)': ['100.64.0.1', '100.127.255.255', '::ffff:100.64.0.1'],
  metadata: [
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
  ],
  'link-local': ['169.254.0.1', '169.254.255.255', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', '::ffff:224.0.0.1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.255', '2001:db8::1', '3fff::1'],
  reserved: [
    '0.0.0.0',
    '0.1.2.3',
    '192.0.0.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:0.0.0.0',
    '64:ff9b::',
    '64:ff9b:1::a00:1',
    '100::1',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2002:7f00:1::1',
    '2002:0808:0808::1',
    'fec0::1',
    '5f00::1',
    '4000::1',
  ],
  unreadable: ['', 'localhost', '127.1', '0x7f.1', '1.2.3.4.5', ':::1'],
};

const cases = Object.entries(refused).flatMap(([kind, addresses]) =>
  addresses.map((address) => [address, kind] as const),
);

test.each(cases)('%s is refused as %s', (address, kind) => {
  expect(refusedKind(address, false)).toBe(kind);
  expect(refusedKind(address, true)).toBe(passable.includes(kind) ? undefined : kind);
});

test.each([
  '8.8.8.8',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '223.255.255.255',
  '192.0.1.1',
  '2606:4700::1111',
  '2a00:1450::1',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
])('%s is on the internet', (address) => {
  expect(refusedKind(address, false)).toBeUndefined();
});

test('an IPv4 address is the same in every IPv6 form that leads to it', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      for (const prefix of ['::ffff:', '64:ff9b::', '::ffff:0:'])
        expect(refusedKind(`${prefix}${address}`, false)).toBe(refusedKind(address, false));
    }),
  );
});

const isLoopback = 'url: is a loopback address: set allowPrivate if the handler is there';
test.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://0x7f.0.0x1/',
  'http://127.0.0.1./',
  'http://127。0。0。1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://%31%32%37.0.0.1/',
  'http://127.0.0.1:9100/metrics',
  'https://[::1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https:127.0.0.1',
  'https:\\\\127.0.0.1\\',
])('as a URL: %s', (url) => {
  expect(routeFaults({ url })).toEqual([isLoopback]);
  expect(routeFaults({ url, allowPrivate: true })).toEqual([]);
});

test.each([
  ['http://169.254.169.254/latest/meta-data/', 'url: is a metadata address'],
  ['http://0xa9fea9fe/', 'url: is a metadata address'],
  ['http://0/', 'url: is a reserved address'],
  ['https://[fe80::1]/', 'url: is a link-local address'],
  ['ftp://example.com/', 'url: must be a URL that starts with http:// or https://'],
  ['file:///etc/passwd', 'url: must be a URL that starts with http:// or https://'],
  ['javascript:alert(1)', 'url: must be a URL that starts with http:// or https://'],
  [
    'https://user:hunter2@example.com/',
    'url: must hold no user name and password: they have settings of their own',
  ],
  [
    'https://example.com@127.0.0.1/',
    'url: must hold no user name and password: they have settings of their own',
  ],
  ['https://example.com/#a', 'url: must have no fragment: it is never sent'],
])('also with allowPrivate: %s', (url, fault) => {
  const [first] = routeFaults({ url, allowPrivate: true });
  expect(first).toBe(fault);
  expect(first).not.toContain('hunter2');
});
