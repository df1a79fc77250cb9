// What `npm run replay` writes of a replay: devices and handlers have no say in what the terminal does.
import { expect, test } from 'vitest';
import type { ReplayView } from '../../../infra/cli/replay-client.ts';
import { progressText, resultText } from '../../../infra/cli/replay-progress.ts';

const view: ReplayView = {
  id: 'r',
  status: 'sending',
  total: 3,
  delivered: 1,
  refused: 1,
  refusals: [{ topic: 'a\u001b[2Jb', id: 'x\u0007', reason: 'no\nmore' }],
  dryRun: false,
  waiting: 'the handler answered 503: \u009b31mred\r',
};

test('control characters are not written as they are', () => {
  expect(progressText(view)).toBe(
    'sending 2 of 3, 1 refused, waiting: the handler answered 503: \ufffd31mred\ufffd',
  );
  expect(resultText({ ...view, status: 'done' })).toBe(
    'done: 1 of 3 delivered, 1 refused\n  refused: a\ufffd[2Jb (x\ufffd): no\ufffdmore',
  );
});
