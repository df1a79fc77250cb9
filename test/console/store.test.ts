// What a component shows of a store, in a real browser: also what changes between its first drawing and its effects.
import { resolve } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from './rig.ts';

const stores = resolve('functions/console/state/store.ts');
/** Sets the store at once after the drawing: preact runs effects only after the browser has painted. */
const script = `
  import { h, render } from 'preact';
  import { createStore, useStore } from ${JSON.stringify(stores)};
  const store = createStore('first');
  const Shown = () => h('p', {}, useStore(store));
  render(h(Shown), document.body);
  window.drawn = [document.body.textContent];
  store.set('second');
  window.store = store;
`;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test('a value that is set before the component listens is drawn, and each one after it', async () => {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: resolve('functions/console') },
    bundle: true,
    write: false,
  });
  const page = await browser.newPage();
  await page.addScriptTag({ content: outputFiles[0]?.text ?? '' });
  expect(await page.evaluate('window.drawn')).toEqual(['first']);
  await page.locator('p', { hasText: 'second' }).waitFor();
  await page.evaluate("window.store.set('third')");
  await page.locator('p', { hasText: 'third' }).waitFor();
});
