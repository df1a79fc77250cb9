// Walks to the end of what is read in steps.
import type { Step, Steps } from '../../../functions/table/steps.ts';

export async function walk(steps: Steps): Promise<{ steps: Step[]; complete: boolean }> {
  const met: Step[] = [];
  for (;;) {
    const { done, value } = await steps.next();
    if (done === true) return { steps: met, complete: value };
    met.push(value);
  }
}
