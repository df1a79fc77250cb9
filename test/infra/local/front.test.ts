// What the port of `npm start` tells of its own: all of it on this machine, and only to operators beyond it.
import { describe, expect, test } from 'vitest';
import { createFront, type Running } from '../../../infra/local/front.ts';

const running: Running = {
  problems: () => ['route store: holding: the handler answered 500'],
  metrics: [async () => 'a 1\n', async () => 'b 2\n'],
  api: undefined,
};

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function answers(front: ReturnType<typeof createFront>, init: RequestInit = {}) {
  const [ready, metrics] = [
    await front.request('/readyz', init),
    await front.request('/metrics', init),
  ];
  return {
    ready: [ready.status, await ready.json()],
    metrics: [metrics.status, await metrics.text()],
  };
}

const all = {
  ready: [503, { status: 'not ready', problems: running.problems() }],
  metrics: [200, 'a 1\nb 2\n'],
};

test('on this machine everybody sees the numbers and what is not ready', async () => {
  expect(await answers(createFront(running))).toEqual(all);
});

describe('beyond this machine', () => {
  const front = createFront(running, ['the-admin', 'the-scraper']);

  test.each(['the-admin', 'the-scraper'])('%s sees it', async (token) => {
    expect(await answers(front, bearer(token))).toEqual(all);
  });

  test.each([{}, bearer('another'), bearer('')])(
    'others see whether it is ready: %j',
    async (init) => {
      const { ready, metrics } = await answers(front, init);
      expect(ready).toEqual([503, { status: 'not ready' }]);
      expect(metrics[0]).toBe(401);
    },
  );
});
