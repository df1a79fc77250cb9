// After how many wrong passwords an address is not looked at, for which names, and until when.
import { expect, test } from 'vitest';
import { addressBlock, LoginFailures } from '../../../infra/broker/access/login-failures.ts';

const limits = { maxLoginFailuresPerUser: 3, maxLoginFailuresPerAddress: 5 };
let nowMs = 0;
const failures = () => new LoginFailures(limits, () => nowMs);

function fail(all: LoginFailures, address: string, name: string, times: number): void {
  for (let time = 0; time < times; time++) all.failed(address, name);
}

test('a name is kept out from the address that fails with it, and nowhere else', () => {
  const all = failures();
  fail(all, 'bad', 'lamp', 3);
  expect(all.allows('bad', 'lamp')).toBe(false);
  expect([all.allows('bad', 'fan'), all.allows('good', 'lamp')]).toEqual([true, true]);
  nowMs += 20_000;
  expect(all.allows('bad', 'lamp')).toBe(true);
});

test('an address that fails with many names is kept out, but for names that have got in from there', () => {
  const all = failures();
  all.succeeded('shared', 'lamp');
  fail(all, 'shared', 'a', 2);
  fail(all, 'shared', 'b', 3);
  expect(['a', 'b', 'fresh'].map((name) => all.allows('shared', name))).toEqual([
    false,
    false,
    false,
  ]);
  expect([all.allows('shared', 'lamp'), all.allows('other', 'fresh')]).toEqual([true, true]);
  fail(all, 'shared', 'lamp', 3);
  expect(all.allows('shared', 'lamp')).toBe(false);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s is of %s', (address, block) => {
  expect(addressBlock(address)).toBe(block);
});
