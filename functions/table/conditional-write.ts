// Writes with a condition: that it does not hold is an outcome, and no failure.
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/** What a write answers; undefined where its condition did not hold. */
export async function answerIfHeld<T>(writing: Promise<T>): Promise<T | undefined> {
  try {
    return await writing;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Whether the condition of a write held. */
export async function conditionHeld(writing: Promise<object>): Promise<boolean> {
  return (await answerIfHeld(writing)) !== undefined;
}
