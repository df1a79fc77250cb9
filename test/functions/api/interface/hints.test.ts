// What an empty list says of what probably happened.
import { expect, test } from 'vitest';
import { filterHint, nearbyFilters, topicHint } from '../../../../functions/api/interface/hints.ts';

test.each([
  ['rooms/', /%23/],
  [' /state', /%2B/],
  ['rooms/ ', /%2B/],
  ['rooms/#', undefined],
  ['rooms/+', undefined],
  ['a b/#', undefined],
  ['rooms', undefined],
])('the filter %j', (filter, hint) => {
  if (hint === undefined) expect(filterHint(filter)).toBeUndefined();
  else expect(filterHint(filter)).toMatch(hint);
});

test.each([
  ['rooms/kitchn', ['rooms/kitchen', 'rooms/hall'], ['rooms/kitchen']],
  ['/rooms/kitchen', ['rooms/kitchen'], ['rooms/kitchen']],
  ['Rooms/Kitchen', ['rooms/kitchen'], ['rooms/kitchen']],
  ['rooms/kitchen/', ['rooms/kitchen'], ['rooms/kitchen']],
  ['rooms/1', ['rooms/2', 'rooms/10', 'rooms/3', 'rooms/4'], ['rooms/2', 'rooms/10', 'rooms/3']],
  ['rooms/kitchen', ['rooms/bedroom'], undefined],
  ['rooms/kitchen', [], undefined],
  ['rooms/1', ['rooms/1', 'rooms/2'], undefined],
])('%j beside %j', (topic, known, near) => {
  const hint = topicHint(topic, known);
  if (near === undefined) expect(hint).toBeUndefined();
  else for (const one of near) expect(hint).toContain(one);
});

test('only a few exact topics and one level are looked at', () => {
  expect(nearbyFilters('/Rooms/kitchen')).toEqual([
    '/Rooms/kitchen',
    'Rooms/kitchen',
    'Rooms/kitchen/',
    'rooms/kitchen',
    '/Rooms/+',
  ]);
  expect(nearbyFilters('rooms')).toEqual(['rooms', '/rooms', 'rooms/', '+']);
});
