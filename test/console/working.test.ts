// The console while something happens: messages come, a handler breaks and is mended, a dead letter goes again, the
// connection is lost, and a token may see little.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { openPage, type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => {
  rig.handler.answer = () => 204;
});
afterAll(() => rig?.close());

const publish = (topic: string, payload: string) =>
  rig.device.publishAsync(topic, payload, { qos: 1 });

test('what a device publishes is shown as it is stored, and pressed, what happened to it', async () => {
  const { page, faults } = await openPage(rig, '#/messages?filter=rooms/%23');
  await page.locator('.messages-card .tone-ok', { hasText: 'Live' }).waitFor();
  const since = performance.now();
  await publish('rooms/kitchen', '{"celsius":21.5}');
  const row = page.locator('.message-row', { hasText: '21.5' });
  await row.waitFor();
  console.log(`seen ${Math.round(performance.now() - since)} ms after it was published`);
  await row.click();
  await page.locator('.timeline', { hasText: 'store delivered it at once' }).waitFor();
  await page.locator('.panel .json-number', { hasText: '21.5' }).waitFor();
  // While one is looked at, the list stands still and counts.
  await publish('rooms/kitchen', '{"celsius":22.5}');
  await page.keyboard.press('Escape');
  await page.locator('.held', { hasText: '1 new' }).click();
  await page.locator('.message-row', { hasText: '22.5' }).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a payload is shown as the device wrote it, also what no browser can count', async () => {
  const { page, faults } = await openPage(rig, '#/messages?filter=odd&view=latest');
  const payload = '{"far": 1e400, "big":9007199254740993, "big":1.0 }';
  await publish('odd', payload);
  await page.locator('.message-row', { hasText: '9007199254740993' }).click();
  await page.locator('.panel .json-number').first().waitFor();
  expect(await page.locator('.panel .json-number').allTextContents()).toEqual([
    '1e400',
    '9007199254740993',
    '1.0',
  ]);
  await page.locator('.panel label', { hasText: 'Raw' }).click();
  expect(await page.locator('.panel code.code').textContent()).toBe(payload);
  expect(faults).toEqual([]);
  await page.context().close();
});

test('what is stored is saved as a file, and drawn as curves', async () => {
  for (const celsius of [20, 21.5]) await publish('saved/a', JSON.stringify({ celsius }));
  await publish('saved/b', 'text');
  const { page, faults } = await openPage(rig, '#/messages?filter=saved/%23&view=latest');
  await page.locator('.message-row', { hasText: 'saved/b' }).waitFor();
  const save = async (name: string) => {
    const saving = page.waitForEvent('download');
    await page.locator('button', { hasText: 'Export' }).click();
    await page.locator('.menu button', { hasText: name }).click();
    return readFileSync(await (await saving).path(), 'utf8');
  };
  const lines = (await save('Lines of JSON')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).payload)).toEqual([
    { celsius: 20 },
    { celsius: 21.5 },
    'text',
  ]);
  expect((await save('CSV')).trim().split('\r\n')).toHaveLength(4);
  await page.evaluate("location.hash = '#/messages?filter=saved/a&view=curves'");
  await page.locator('.curves .card', { hasText: '2 numbers' }).locator('canvas').waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test('1,000 messages while the connection is cut five times: each is shown once', async () => {
  const { page } = await openPage(rig, '#/messages?filter=counted/%23');
  await page.locator('.messages-card .tone-ok', { hasText: 'Live' }).waitFor();
  const shown = async () =>
    (await page.locator('.message-row .message-payload').allTextContents()).map(
      (text) => (JSON.parse(text) as { n: number }).n,
    );
  for (let cut = 0; cut < 5; cut++) {
    const total = (cut + 1) * 200;
    for (let index = 0; index < 200; index++) {
      await publish('counted/1', JSON.stringify({ n: cut * 200 + index }));
      if (index === 100) rig.way.cut();
    }
    rig.way.mend();
    await until(async () => (await shown())[0] === total - 1, { timeoutMs: 100_000 });
    // The newest of all, as many as the list has.
    const numbers = await shown();
    expect(numbers.length).toBe(Math.min(500, total));
    expect(numbers).toEqual(numbers.map((_, index) => total - 1 - index));
  }
  await page.context().close();
});

test('a command is published, and its way is shown', async () => {
  const { page, faults } = await openPage(rig, '#/publish?topic=rooms/kitchen/cmd');
  await page.locator('textarea').fill('{"big": 9007199254740993, "fan":\n"on"');
  await page.locator('.field-fault').waitFor();
  expect(await page.locator('button[type=submit]').isDisabled()).toBe(true);
  await page.locator('textarea').fill('{"big": 9007199254740993}');
  const received = new Promise<string>((resolve) =>
    rig.device.on('message', (_, payload) => resolve(payload.toString())),
  );
  await rig.device.subscribeAsync('rooms/kitchen/cmd', { qos: 1 });
  await page.locator('textarea').press('Control+Enter');
  // Not a digit of it is lost on the way through the browser.
  expect(await received).toBe('{"big": 9007199254740993}');
  await page.locator('.steps .done', { hasText: 'Acknowledged' }).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a handler breaks: why and what helps; it is mended: Retry now, and it flows', async () => {
  const { page } = await openPage(rig, '#/overview');
  await page.locator('.verdict.ok').waitFor();
  rig.handler.answer = () => 503;
  await publish('orders/1', '{"total":7}');
  await page.locator('.verdict.warn', { hasText: 'Nothing is lost' }).waitFor();
  expect(await page.locator('.verdict').textContent()).toContain('503');
  await page.locator('.verdict a.button').click();
  const hold = page.locator('.note.warn').first();
  await hold.waitFor();
  expect(await hold.textContent()).toContain('503');
  const { cure } = (await (await rig.call(`/v1/routes/${rig.route}`)).json()) as { cure: string };
  expect(await hold.textContent()).toContain(cure);
  await page.locator('tbody .tone-warn', { hasText: 'Held' }).first().waitFor();
  rig.handler.answer = () => 204;
  await page.locator('button', { hasText: 'Retry now' }).click();
  await hold.waitFor({ state: 'detached' });
  await page.evaluate("location.hash = '#/overview'");
  await page.locator('.verdict.ok').waitFor();
  await page.context().close();
});

test('a route is paused and resumed', async () => {
  const { page } = await openPage(rig, `#/routes/${rig.route}`);
  await page.locator('button', { hasText: 'Pause' }).click();
  await page.locator('.note', { hasText: 'Paused' }).waitFor();
  await page.locator('button', { hasText: 'Resume' }).click();
  await page.locator('button', { hasText: 'Pause' }).waitFor();
  await page.context().close();
});

test('who comes and goes is shown as it happens, also after the connection was lost', async () => {
  const { page, faults } = await openPage(rig, '#/clients');
  await page.locator('tbody tr', { hasText: 'device-1' }).waitFor();
  const lists: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/v1/presence')) lists.push(request.url());
  });
  const visitor = await rig.connect('visitor');
  const row = page.locator('tbody tr', { hasText: 'visitor' });
  await row.locator('.state', { hasText: 'Online' }).waitFor();
  expect(faults).toEqual([]);
  rig.way.cut();
  await visitor.endAsync();
  await page.locator('.away').waitFor();
  rig.way.mend();
  await row.locator('.state', { hasText: 'Offline' }).waitFor();
  await page.locator('.away').waitFor({ state: 'detached' });
  // Nothing is asked for again and again.
  expect(lists).toEqual([]);
  await page.context().close();
});

test('a dead letter is looked at and replayed', async () => {
  rig.handler.answer = () => 422;
  await publish('orders/2', '{"total":-1}');
  const { page } = await openPage(rig, '#/dead-letters');
  const row = page.locator('tbody tr', { hasText: 'orders/' });
  await row.waitFor();
  await row.locator('button').click();
  await page.locator('.panel .timeline', { hasText: 'made it a dead letter' }).waitFor();
  await page.locator('.panel .tag', { hasText: '422' }).waitFor();
  rig.handler.answer = () => 204;
  await page.locator('.panel footer button', { hasText: 'Replay' }).click();
  await page.locator('.empty', { hasText: 'No dead letters' }).waitFor();
  await page.context().close();
});

test('a dead letter is deleted by the second press, and not by the first', async () => {
  rig.handler.answer = () => 422;
  await publish('orders/3', '{"total":-2}');
  const { page } = await openPage(rig, '#/dead-letters');
  await page.locator('tbody tr button').first().click();
  const remove = page.locator('.panel footer .danger');
  await remove.click();
  await page.locator('.panel footer .armed').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.panel footer .armed').waitFor({ state: 'detached' });
  await remove.click();
  await remove.click();
  await page.locator('.empty', { hasText: 'No dead letters' }).waitFor();
  await page.context().close();
});

test('dead letters of one reason are replayed, and the others stay', async () => {
  rig.handler.answer = (subject) => (subject === 'orders/old' ? 400 : 422);
  for (const topic of ['orders/old', 'orders/odd', 'orders/odd']) await publish(topic, '{}');
  const { page } = await openPage(rig, '#/dead-letters');
  const reason = page.locator('.chips button', { hasText: '422' });
  await until(async () => {
    await page.reload();
    await reason.waitFor();
    return (await page.locator('tbody tr').count()) === 3;
  });
  expect(await reason.locator('b').textContent()).toBe('2');
  await reason.click();
  await page.locator('h2', { hasText: '2 dead letters' }).waitFor();
  rig.handler.answer = () => 204;
  await page.locator('button', { hasText: 'Replay all that match' }).click();
  await page.locator('dialog button', { hasText: 'Replay 2' }).click();
  await page.locator('dialog .state', { hasText: 'Done' }).waitFor();
  await page.locator('dialog button', { hasText: 'Close' }).click();
  await page.locator('.chips button', { hasText: '400' }).click();
  await page.locator('.chips button', { hasText: '422' }).waitFor({ state: 'detached' });
  const { groups } = (await (await rig.call('/v1/dead-letters/summary')).json()) as {
    groups: { count: number; reason: string }[];
  };
  expect(groups.map(({ count }) => count)).toEqual([1]);
  await page.locator('tbody tr button').first().click();
  await page.locator('.panel footer button', { hasText: 'Replay' }).click();
  await page.locator('.empty').first().waitFor();
  await page.context().close();
});

test('the connection is lost and comes back: what is there stays, and what came meanwhile is shown', async () => {
  await publish('rooms/hall', '{"step":1}');
  const { page } = await openPage(rig, '#/messages?filter=rooms/%23&view=latest');
  await page.locator('.message-row', { hasText: '"step":1' }).waitFor();
  rig.way.cut();
  await page.locator('.away [role=alert]').waitFor();
  expect(await page.locator('.message-row', { hasText: '"step":1' }).count()).toBe(1);
  await publish('rooms/hall', '{"step":2}');
  rig.way.mend();
  // It comes back by itself, too: the button may be gone by then.
  await page.evaluate("document.querySelector('.away button')?.click()");
  await page.locator('.away').waitFor({ state: 'detached' });
  await page.locator('.message-row', { hasText: '"step":2' }).waitFor();
  await page.context().close();
});

test('a token with read:a/# sees nothing of b, and no call of its page fails', async () => {
  await publish('a/1', '{"seen":true}');
  await publish('b/1', '{"seen":false}');
  const made = await rig.call('/v1/tokens', { name: 'a', scopes: ['read:a/#'] });
  const { token } = (await made.json()) as { token: string };
  await until(async () => {
    const { topics } = (await (await rig.call('/v1/topics?filter=b/%23')).json()) as {
      topics: unknown[];
    };
    return topics.length > 0;
  });
  const { page, faults } = await openPage(rig, '#/messages?view=latest', { token });
  await page.locator('.message-row', { hasText: 'a/1' }).waitFor();
  await page.locator('.tree-node', { hasText: 'a/1' }).waitFor();
  const seen = await page.locator('main').textContent();
  expect(seen).not.toContain('b/1');
  expect(await page.locator('.nav .page-link').allTextContents()).toEqual([
    'Overview',
    'Messages',
    'Dead letters',
  ]);
  for (const hash of ['#/overview', '#/dead-letters', '#/routes', '#/tokens']) {
    await page.evaluate(`location.hash = '${hash}'`);
    await page.locator('main .page').waitFor();
  }
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a revoked token ends the session, and says why', async () => {
  const made = await rig.call('/v1/tokens', { name: 'short', scopes: ['admin'] });
  const { id, token } = (await made.json()) as { id: string; token: string };
  const { page } = await openPage(rig, '#/overview', { token });
  await page.locator('.verdict').waitFor();
  const admin = await openPage(rig, '#/tokens');
  const row = admin.page.locator('tbody tr', { hasText: id });
  await row.locator('.danger').click();
  await row.locator('.armed').click();
  await row.waitFor({ state: 'detached' });
  await page.locator('.sign-in [role=alert]').waitFor();
  await page.context().close();
  await admin.page.context().close();
});
