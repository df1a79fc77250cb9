import { describe, expect, test } from 'vitest';
import { rights } from '../../../../functions/api/access/principal.ts';
import {
  knownScopes,
  maxScopeFilterBytes,
  maxScopes,
  parseScope,
  principalOf,
  scopeText,
} from '../../../../functions/api/access/scopes.ts';
import { fc } from '../../../support/property.ts';

const principal = (...scopes: string[]) => principalOf('token:test', knownScopes(scopes));

describe('parseScope', () => {
  test.each([
    'admin',
    'read:#',
    'read:devices/#',
    'publish:devices/+/cmd',
    'delete:/',
    'read:$SYS/#',
    'delete:$aws/events/#',
    'read:a b:c',
    `read:${'ü'.repeat(maxScopeFilterBytes / 2)}`,
  ])('takes %s, and gives it back', (text) => {
    const parsed = parseScope(text);
    expect(parsed.ok && scopeText(parsed.scope)).toBe(text);
  });

  test.each([
    ['', /must be admin, or read:/],
    ['read', /must be admin/],
    ['Read:a', /must be admin/],
    [' read:a', /must be admin/],
    ['ADMIN', /must be admin/],
    ['admin:#', /must be admin/],
    ['write:a', /must be admin/],
    ['re:ad:a', /must be admin/],
    ['__proto__:a', /must be admin/],
    ['ｒead:a', /must be admin/],
    ['read：a', /must be admin/],
    ['read:', /empty/],
    ['read:a#', /stand alone/],
    ['read:a/#/b', /last level/],
    ['read:a+', /whole level/],
    ['read:a\u0000', /U\+0000/],
    ['read:a\n', /control/],
    ['read:\ud800', /surrogates/],
    ['read:$share/g/devices/#', /\$share/],
    ['read:$share', /\$share/],
    [`read:${'a'.repeat(maxScopeFilterBytes + 1)}`, /1024 bytes/],
    [`read:${'ü'.repeat(maxScopeFilterBytes / 2)}a`, /1024 bytes/],
  ])('refuses %j', (text, fault) => {
    expect(parseScope(text)).toEqual({ ok: false, fault: expect.stringMatching(fault) });
  });
});

test('texts that are no scopes grant nothing, and there is an end to those that are', () => {
  expect(knownScopes(['openid', 'read:a', 'profile', 'admin:#']).map(scopeText)).toEqual([
    'read:a',
  ]);
  const many = Array.from({ length: maxScopes + 1 }, (_, index) => `read:${index}`);
  expect(principal(...many).can('read', String(maxScopes - 1))).toBe(true);
  expect(principal(...many).can('read', String(maxScopes))).toBe(false);
});

describe('can', () => {
  test('nothing without a scope', () => {
    for (const right of rights) expect(principal().can(right, 'a')).toBe(false);
  });

  test('each right is its own', () => {
    for (const given of rights) {
      for (const asked of rights)
        expect(principal(`${given}:a/#`).can(asked, 'a/b')).toBe(given === asked);
    }
  });

  test('admin may do everything; which $ topics the broker lets clients publish to is not its to say', () => {
    for (const right of rights) expect(principal('admin').can(right, 'a//b')).toBe(true);
    expect(principal('admin').can('read', '$SYS/broker/uptime')).toBe(true);
    expect(principal('admin').can('delete', '$aws/events/presence')).toBe(true);
    expect(principal('admin').can('publish', '$aws/things/a/jobs/get')).toBe(true);
  });

  test('a $ topic takes a scope that names it', () => {
    expect(principal('publish:$aws/things/#').can('publish', '$aws/things/a')).toBe(true);
    expect(principal('publish:$aws/things/#').can('publish', '$aws/rules/a')).toBe(false);
    for (const scope of ['publish:#', 'publish:+/things/a'])
      expect(principal(scope).can('publish', '$aws/things/a')).toBe(false);
  });

  // Each of these is a way to write another topic than the scopes allow, or to write one of theirs differently.
  const scopes = ['devices/a/#', 'devices/+/state', 'caf\u00e9/#', 'x%2Fy'];
  test.each([
    ['devices/a/cmd', true],
    ['devices/a', true],
    ['devices/a/', true],
    ['devices/a//', true],
    ['devices/a/../b/cmd', true],
    ['devices/b/state', true],
    ['devices//state', true],
    ['devices/../state', true],
    ['caf\u00e9/x', true],
    ['x%2Fy', true],
    ['devices/b/cmd', false],
    ['devices/b/../a/cmd', false],
    ['./devices/a/cmd', false],
    ['../devices/a/cmd', false],
    ['/devices/a/cmd', false],
    ['devices//a/cmd', false],
    ['devices/ab', false],
    ['devices/a ', false],
    [' devices/a', false],
    ['devices', false],
    ['devices/', false],
    ['devices/b/state/', false],
    ['devices/b/c/state', false],
    ['DEVICES/a', false],
    ['devices/A', false],
    ['devices%2Fa', false],
    ['devices%2fa%2fcmd', false],
    ['devices/%61', false],
    ['x/y', false],
    ['devices\\a\\cmd', false],
    ['devices\uff0fa\uff0fcmd', false],
    ['devices\u2215a', false],
    ['devices\u2044a', false],
    ['devices/\uff41', false],
    ['devices/\u0430', false],
    ['devices/a\u0301', false],
    ['devices/a\u200d', false],
    ['devices/\u200ba', false],
    ['\ufeffdevices/a', false],
    ['devices/a\u0000', false],
    ['cafe\u0301/x', false],
    ['$SYS/broker', false],
    ['$share/g/devices/a', false],
    ['$devices/a', false],
    ['devices/+/state', false],
    ['devices/a/#', false],
    ['#', false],
    ['', false],
  ])('%j: %s', (topic, allowed) => {
    const { can } = principal(...scopes.flatMap((filter) => rights.map((of) => `${of}:${filter}`)));
    for (const right of rights) expect(can(right, topic)).toBe(allowed);
  });

  test.each(['#', '+/#', '+/broker'])('%s reaches no topic that starts with $', (filter) => {
    expect(principal(`read:${filter}`).can('read', '$SYS/broker')).toBe(false);
    expect(principal(`read:${filter}`).can('read', 'a$/broker')).toBe(true);
  });
});

/** Matches as [MQTT-4.7] words it, level by level, where `#` stands for none as well. */
function matches([wanted, ...filter]: string[], [level, ...topic]: string[]): boolean {
  if (wanted === '#') return true;
  if (wanted === undefined) return level === undefined;
  if (level === undefined) return false;
  return (wanted === '+' || wanted === level) && matches(filter, topic);
}

function mayReach(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false;
  return matches(filter.split('/'), topic.split('/'));
}

const level = fc.constantFrom(
  'a',
  'b',
  'A',
  '',
  '..',
  '$SYS',
  '%2F',
  'e\u0301',
  '\u00e9',
  '\u200d',
);
const topicOf = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filterOf = fc
  .tuple(
    fc.array(fc.oneof(level, fc.constant('+')), { minLength: 0, maxLength: 3 }),
    fc.constantFrom('#', '+', 'a', ''),
  )
  .map(([levels, last]) => [...levels, last].join('/'));

test('a principal can exactly what one of its scopes reaches', () => {
  const scopeOf = fc.tuple(fc.constantFrom(...rights), filterOf);
  fc.assert(
    fc.property(
      fc.array(scopeOf, { maxLength: 5 }),
      fc.constantFrom(...rights),
      topicOf,
      (given, right, topic) => {
        const legal = given.filter(([of, filter]) => parseScope(`${of}:${filter}`).ok);
        const expected = legal.some(
          ([of, filter]) => of === right && topic !== '' && mayReach(filter, topic),
        );
        const { can } = principal(...given.map(([of, filter]) => `${of}:${filter}`));
        expect(can(right, topic)).toBe(expected);
      },
    ),
    { numRuns: 5000 },
  );
});

test('no text is read as a scope and means another', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...rights), (filter, right) => {
      const parsed = parseScope(`${right}:${filter}`);
      if (parsed.ok) expect(parsed.scope).toEqual({ kind: 'topics', right, filter });
    }),
  );
});
