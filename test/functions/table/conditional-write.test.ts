import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { answerIfHeld, conditionHeld } from '../../../functions/table/conditional-write.ts';

const refused = () =>
  Promise.reject(new ConditionalCheckFailedException({ message: 'no', $metadata: {} }));

test('a condition that does not hold is no failure', async () => {
  expect(await conditionHeld(refused())).toBe(false);
  expect(await answerIfHeld(refused())).toBeUndefined();
  expect(await conditionHeld(Promise.resolve({}))).toBe(true);
  expect(await answerIfHeld(Promise.resolve({ written: 1 }))).toEqual({ written: 1 });
});

test('anything else is', async () => {
  const lost = () => Promise.reject(new Error('no answer'));
  await expect(conditionHeld(lost())).rejects.toThrow('no answer');
  await expect(answerIfHeld(lost())).rejects.toThrow('no answer');
});
