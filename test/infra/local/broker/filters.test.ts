// Filters: the tree of them, and which rights cover which subscription.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesFilter } from '../../../../functions/contract/topic.ts';
import { FilterTree } from '../../../../infra/local/broker/filter-tree.ts';
import { allRights, covers, topicRights } from '../../../../infra/local/broker/topic-rights.ts';

const level = fc.constantFrom('a', 'b', '', '$x');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));

test('the tree finds exactly the filters that match, with the highest QoS of each holder', () => {
  const entry = fc.record({
    filter,
    holder: fc.constantFrom('one', 'two'),
    qos: fc.constantFrom(0, 1, 2),
    removed: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 10 }), topic, (entries, name) => {
      const tree = new FilterTree<string>();
      const model = new Map<string, (typeof entries)[number]>();
      for (const one of entries) {
        tree.add(one.filter, one.holder, one.qos);
        model.set(`${one.holder} ${one.filter}`, one);
      }
      for (const one of entries) {
        if (!one.removed) continue;
        tree.remove(one.filter, one.holder);
        model.delete(`${one.holder} ${one.filter}`);
      }
      const expected = new Map<string, number>();
      for (const one of model.values()) {
        if (!matchesFilter(one.filter, name)) continue;
        expected.set(one.holder, Math.max(one.qos, expected.get(one.holder) ?? 0));
      }
      expect([...tree.match(name)].sort()).toEqual([...expected].sort());
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
