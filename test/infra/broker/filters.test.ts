// Filters: the tree of them, and which rights cover which subscription.

import { expect, test } from 'vitest';
import { matchesFilter } from '../../../functions/contract/topic.ts';
import { allRights, covers, topicRights } from '../../../infra/broker/access/topic-rights.ts';
import { FilterTree } from '../../../infra/broker/routing/filter-tree.ts';
import { fc } from '../../support/property.ts';

const level = fc.constantFrom('a', 'b', '', '$x');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));

test('the tree finds exactly the filters that match, and keeps nothing of those that are gone', () => {
  const entry = fc.record({ filter, removed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 10 }), topic, (entries, name) => {
      const tree = new FilterTree<string>();
      const model = new Set<string>();
      for (const one of entries) {
        tree.get(one.filter, () => one.filter);
        model.add(one.filter);
      }
      for (const one of entries) {
        if (!one.removed) continue;
        tree.remove(one.filter);
        model.delete(one.filter);
      }
      const expected = [...model].filter((one) => matchesFilter(one, name));
      expect(tree.match(name).sort()).toEqual(expected.sort());
      for (const one of model) expect(tree.find(one)).toBe(one);
      for (const { filter: gone } of entries.filter((one) => !model.has(one.filter)))
        expect(tree.find(gone)).toBeUndefined();
    }),
  );
});

test('a filter is covered only where every topic it matches is granted', () => {
  fc.assert(
    fc.property(filter, filter, topic, (granted, wanted, name) => {
      fc.pre(covers(granted, wanted) && matchesFilter(wanted, name));
      expect(matchesFilter(granted, name)).toBe(true);
    }),
  );
});

test.each([
  ['rooms/#', 'rooms', true],
  ['rooms/#', 'rooms/+/x', true],
  ['rooms/+', 'rooms/#', false],
  ['rooms/+', 'rooms/+', true],
  ['rooms/+/+', 'rooms/+', false],
  ['#', '#', true],
  ['#', '$events/#', false],
  ['+/client/connected', '$events/client/connected', false],
  ['$events/#', '$events/client/+', true],
  ['a', '+', false],
])('%s covers %s: %s', (granted, wanted, expected) => {
  expect(covers(granted, wanted)).toBe(expected);
});

test('a placeholder opens nothing for names that are wildcards or several levels', () => {
  const rights = (user: string, clientId: string) =>
    topicRights({ publish: ['rooms/%u/#'], subscribe: ['rooms/%c/#'] }, user, clientId);
  expect(rights('lamp', 'c1').mayPublish('rooms/lamp/x')).toBe(true);
  expect(rights('lamp', 'c1').mayPublish('rooms/fan/x')).toBe(false);
  for (const name of ['+', '#', 'a/b', '']) {
    expect(rights(name, 'c1').mayPublish(`rooms/${name}/x`)).toBe(false);
    expect(rights('lamp', name).maySubscribe(`rooms/${name}/#`)).toBe(false);
  }
  // Nor one with which a filter would begin with $.
  const own = topicRights({ publish: ['%u/#'], subscribe: ['%c/#'] }, 'lamp', '$events');
  expect(own.maySubscribe('$events/#')).toBe(false);
  expect(own.maySubscribe('$events/client/connected')).toBe(false);
  expect(rights('lamp', '$c').maySubscribe('rooms/$c/#')).toBe(true);
  // A name that looks like the other placeholder is taken as it is.
  expect(rights('%c', 'fan').mayPublish('rooms/fan/x')).toBe(false);
});

test("the broker's own topics are published by nobody", () => {
  const rights = topicRights({ publish: ['#', '$events/#', '$SYS/#'], subscribe: [] }, 'a', 'b');
  for (const name of ['$events/client/connected', '$events', '$SYS/x']) {
    expect(rights.mayPublish(name)).toBe(false);
    expect(allRights.mayPublish(name)).toBe(false);
  }
  expect(rights.mayPublish('$eventsx')).toBe(false);
  expect(allRights.mayPublish('$eventsx')).toBe(true);
});
