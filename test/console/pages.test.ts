// Every page in light and dark, on a phone, a laptop and a wide screen: nothing overflows, axe-core finds nothing, and the
// browser refuses nothing.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { axeFaults } from './axe.ts';
import { openPage, type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  rig.handler.answer = (subject) => (subject === 'orders/bad' ? 422 : 204);
  for (let index = 0; index < 20; index++)
    await rig.device.publishAsync('rooms/kitchen', JSON.stringify({ celsius: 20 + index / 7 }), {
      qos: 1,
    });
  await rig.device.publishAsync('orders/1', '{"total":1}', { qos: 1 });
  await rig.device.publishAsync('orders/bad', Buffer.from([0xff, 0x00, 0x10]), { qos: 1 });
  await rig.call('/v1/tokens', { name: 'dashboard', scopes: ['read:rooms/#'] });
  await rig.call('/v1/publish', { topic: 'rooms/kitchen/cmd', payload: { fan: 'on' } });
  await until(async () => {
    const { deadLetters } = (await (await rig.call('/v1/dead-letters')).json()) as {
      deadLetters: unknown[];
    };
    return deadLetters.length > 0;
  });
  await until(async () => {
    const { topics } = (await (await rig.call('/v1/topics')).json()) as { topics: unknown[] };
    return topics.length >= 3;
  });
});
afterAll(() => rig?.close());

const row = '[data-row]';
const pages: [path: string, shown: string, press?: string][] = [
  ['#/overview', '.verdict'],
  ['#/messages', '.messages-card'],
  ['#/messages?view=latest', '.message-row'],
  ['#/messages?filter=rooms/kitchen&view=history', 'tbody tr', 'tbody .row-link'],
  ['#/messages?filter=rooms/kitchen&view=curves', '.chart canvas'],
  ['#/publish?topic=rooms/kitchen/cmd', '.list li', '.list .row-link'],
  ['#/routes', '.chart canvas'],
  ['#/dead-letters', 'tbody tr', `tbody ${row}`],
  ['#/clients/device-1', '.panel .strip'],
  ['#/tokens', 'tbody tr', 'text=New token'],
];

test.each(pages)('%s', async (...[path, shown, press]) => {
  const { page, faults } = await openPage(rig, path);
  await page.locator(shown).first().waitFor();
  if (press !== undefined) await page.locator(press).first().click();
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [360, 1280, 2560]) {
      const where = `${path} ${colorScheme} ${width}`;
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      expect([where, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([
        where,
        width,
      ]);
      if (width === 2560 && colorScheme === 'light') continue;
      expect([where, await axeFaults(page)]).toEqual([where, []]);
    }
  expect(faults).toEqual([]);
  await page.context().close();
});

test('without a token there is the sign-in, and a wrong one is told', async () => {
  const context = await rig.browser.newContext();
  const page = await context.newPage();
  await page.goto(rig.url);
  expect(await axeFaults(page)).toEqual([]);
  await page.fill('input', 'wrong');
  await page.click('button[type=submit]');
  await page.locator('[role=alert]').waitFor();
  expect(await page.locator('[role=alert] code').textContent()).toBe('unauthorized');
  await page.fill('input', rig.token);
  await page.click('button[type=submit]');
  await page.locator('.verdict').waitFor();
  expect(await page.evaluate('sessionStorage.length')).toBe(1);
  await context.close();
});

test('the token of a link leaves the address at once, and no server sees it', async () => {
  const context = await rig.browser.newContext();
  const page = await context.newPage();
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  await page.goto(`${rig.url}/#token=${rig.token}`);
  await page.locator('.verdict').waitFor();
  expect(page.url()).not.toContain(rig.token);
  expect(urls.filter((url) => new URL(url).href.split('#')[0]?.includes(rig.token))).toEqual([]);
  expect(urls.every((url) => url.startsWith(rig.url))).toBe(true);
  await context.close();
});

test('keys lead to pages, to the search and back', async () => {
  const { page } = await openPage(rig, '#/overview');
  await page.locator('.verdict').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await until(() => page.url().includes('#/routes'));
  // It has the keys before the page is drawn again, however soon the next one is pressed.
  const pressed = `(async () => {
    dispatchEvent(new KeyboardEvent('keydown', { key: '/' }));
    for (let turn = 0; turn < 20; turn++) await undefined;
    return document.activeElement?.matches('.palette input');
  })()`;
  expect(await page.evaluate(pressed)).toBe(true);
  await page.keyboard.type('kitchen');
  await page.locator('.palette [role=option]', { hasText: 'rooms/kitchen' }).first().waitFor();
  await page.keyboard.press('Enter');
  await until(() => page.url().includes('#/messages'));
  await page.locator('tbody tr').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('.panel').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.panel').waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  await page.context().close();
});
