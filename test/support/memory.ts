// Memory that is never short, for tests of what is not about it.
import { type Account, Budget } from '../../bridge/memory/budget.ts';

export function ampleMemory(): Account {
  return new Budget(2 ** 40).open(2 ** 39);
}
