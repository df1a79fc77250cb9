// Chance by a seed, the heap, and topics by Zipf's law.
import { expect, test } from 'vitest';
import {
  Heap,
  hottestShare,
  seededRandom,
  zipfSum,
  zipfTopic,
} from '../../../infra/scale/model-parts.ts';
import { fc } from '../../support/property.ts';

test('a heap gives the smallest first', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (steps) => {
      const heap = new Heap<number>((one) => one);
      const expected: number[] = [];
      for (const step of steps) {
        if (step !== undefined) {
          heap.add(step);
          expected.push(step);
          continue;
        }
        expected.sort((a, b) => a - b);
        expect(heap.first).toBe(expected[0]);
        expect(heap.pop()).toBe(expected.shift());
      }
      expect(heap.size).toBe(expected.length);
    }),
  );
});

test('the sum of many ranks is close to the exact one', () => {
  for (const exponent of [0, 0.5, 1, 1.5]) {
    let exact = 0;
    for (let rank = 1; rank <= 200_000; rank++) exact += rank ** -exponent;
    expect(zipfSum(200_000, exponent) / exact).toBeCloseTo(1, 5);
  }
  expect(hottestShare(10_000, 0)).toBeCloseTo(1 / 10_000, 9);
  expect(hottestShare(10_000, 1)).toBeCloseTo(0.1022, 4);
});

test('topics come as often as the law says', () => {
  const random = seededRandom(1);
  for (const exponent of [0, 1, 1.5]) {
    const topicOf = zipfTopic(100_000, exponent);
    let hottest = 0;
    let rare = 0;
    let outside = 0;
    for (let drawn = 0; drawn < 200_000; drawn++) {
      const topic = topicOf(random);
      if (topic < 0 || topic >= 100_000) outside++;
      if (topic === 0) hottest++;
      if (topic >= 10_000) rare++;
    }
    expect(outside).toBe(0);
    const share = hottestShare(100_000, exponent);
    expect(Math.abs(hottest / 200_000 - share)).toBeLessThan(0.005);
    const rest = 1 - zipfSum(10_000, exponent) / zipfSum(100_000, exponent);
    expect(Math.abs(rare / 200_000 - rest)).toBeLessThan(0.005);
  }
});
