// /docs in a browser: whole in light and dark, not endless, searched, and its lines run with a token.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from './rig.ts';

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());

async function openDocs(width: number, colorScheme: 'light' | 'dark') {
  const context = await rig.browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(`${rig.url}/docs`);
  await page.locator('#search input').waitFor();
  return { page, faults };
}

test.each([
  [360, 'dark'],
  [1280, 'light'],
  [2560, 'dark'],
] as const)('at %i px, %s, it fits, and axe-core finds nothing', async (width, colorScheme) => {
  const { page, faults } = await openDocs(width, colorScheme);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  await page.evaluate(axe);
  expect(
    await page.evaluate(
      'axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => id + nodes.map(({ html }) => html)))',
    ),
  ).toEqual([]);
  if (width === 1280)
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThan(25_000);
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a line has the address of this server, and runs with a token', async () => {
  const { page, faults } = await openDocs(1280, 'light');
  const topics = page.locator('#listTopics');
  expect(await topics.locator('.line').textContent()).toContain(`${rig.url}/v1/topics`);
  await topics.locator('.run').click();
  expect(await topics.locator('figure:last-child .note').textContent()).toContain('token');
  await page.fill('#token input', rig.token);
  await topics.locator('.run').click();
  await topics.locator('.note', { hasText: '200, from here' }).waitFor();
  expect(JSON.parse((await topics.locator('.answer').textContent()) ?? '')).toHaveProperty(
    'topics',
  );
  expect(faults).toEqual([]);
  await page.context().close();
});

test('what changes something takes a second press', async () => {
  const { page } = await openDocs(1280, 'light');
  await page.fill('#token input', rig.token);
  const pause = page.locator('#pauseRoute');
  await pause.locator('.run').click();
  expect(await pause.locator('.sure').count()).toBe(1);
  await page.locator('h1').click();
  await pause.locator('.run').waitFor();
  const route = await (await rig.call('/v1/routes/store')).json();
  expect(route).toMatchObject({ state: 'active' });
  await page.context().close();
});

test('the search leaves what has the words', async () => {
  const { page } = await openDocs(1280, 'light');
  await page.fill('#search input', 'post pause');
  expect(await page.locator('.side li:visible').count()).toBe(1);
  expect(await page.locator('article:visible h3').allTextContents()).toHaveLength(1);
  await page.fill('#search input', '');
  expect(await page.locator('article:visible').count()).toBeGreaterThan(30);
  await page.context().close();
});
