// Signing in at an issuer's page, in Chromium: the way there and back, what goes wrong on it, and what no server sees.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../support/brokers.ts';
import { startIssuer, type TestIssuer } from '../support/issuer.ts';
import { addIssuerPage, type IssuerPage } from '../support/issuer-page.ts';
import { axeFaults } from './axe.ts';
import { type Rig, startRig } from './rig.ts';

const clientId = 'causeway-console';
const scope = 'read:rooms/# read:$presence/#';

let issuer: TestIssuer;
let issuerPage: IssuerPage;
let rig: Rig;
beforeAll(async () => {
  issuer = await startIssuer();
  issuerPage = await addIssuerPage(issuer);
  const folder = temporaryFolder('sign-in');
  const oidc = { issuer: issuer.url, audience: 'causeway', clientId, scopes: ['profile'] };
  const config = {
    broker: { url: 'mqtts://broker.example.com' },
    routes: [{ name: 'store', filter: '#' }],
    api: { oidc },
    bridge: { natGateway: true },
  };
  writeFileSync(join(folder, 'causeway.config.mjs'), `export default ${JSON.stringify(config)};`);
  rig = await startRig({ folder });
});
afterAll(async () => {
  await rig?.close();
  await issuer?.close();
});
afterEach(() => {
  Object.assign(issuerPage, { accessClaims: { scope }, idClaims: {}, error: undefined });
});

/** A browser in front of the sign-in, and what it was told and has asked for. */
async function openSignIn(hash = '') {
  issuerPage.accessClaims = { scope };
  const context = await rig.browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const asked: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => faults.push(`${error}`));
  page.on('console', (message) => {
    const isOurs = message.location().url.startsWith(rig.url);
    if (message.type() === 'error' && isOurs) faults.push(message.text());
  });
  await page.goto(`${rig.url}/${hash}`);
  return { page, asked, faults, close: () => context.close() };
}

const button = (page: Page) => page.getByRole('button', { name: 'Sign in at' });

async function signIn(page: Page): Promise<void> {
  await button(page).click();
  await page.getByText('Continue as alice').click();
}

async function failure(page: Page): Promise<string> {
  await page.locator('[role=alert] code', { hasText: 'sign-in-failed' }).waitFor();
  return (await page.locator('[role=alert]').textContent()) ?? '';
}

test('there and back: signed in at the place that was asked for, with the rights of the token', async () => {
  const { page, asked, faults, close } = await openSignIn('#/messages?view=latest');
  await button(page).waitFor();
  expect(await axeFaults(page)).toEqual([]);
  await signIn(page);
  await page.locator('.messages-card').waitFor();
  expect(page.url()).toBe(`${rig.url}/#/messages?view=latest`);
  expect(Object.fromEntries(issuerPage.asked.at(-1) ?? [])).toMatchObject({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: `${rig.url}/`,
    scope: 'openid profile',
    audience: 'causeway',
    code_challenge_method: 'S256',
  });
  const kept = await page.evaluate('sessionStorage.getItem("causeway.token")');
  expect(await page.evaluate('sessionStorage.length')).toBe(1);
  // What may do little sees little.
  expect(await page.locator('nav').first().textContent()).not.toContain('Tokens');
  expect(asked.filter((url) => url.includes(String(kept)))).toEqual([]);
  const origins = new Set(asked.map((url) => new URL(url).origin));
  expect(origins).toEqual(new Set([rig.url, issuer.url]));
  expect(faults).toEqual([]);
  await close();
});

test('what the issuer refuses is told in its words, and can be tried again', async () => {
  const { page, close } = await openSignIn();
  issuerPage.error = 'access_denied';
  await signIn(page);
  expect(await failure(page)).toContain('access_denied');
  expect(new URL(page.url()).search).toBe('');
  expect(await axeFaults(page)).toEqual([]);
  issuerPage.error = undefined;
  await signIn(page);
  await page.locator('nav').first().waitFor();
  await close();
});

test('an ID token of another sign-in, and an answer that nobody waits for, are not taken', async () => {
  const { page, asked, close } = await openSignIn();
  issuerPage.idClaims = { nonce: 'of-another' };
  await signIn(page);
  await failure(page);
  const code = asked.map((url) => new URL(url)).find(({ search }) => search.includes('code='));
  await page.goto(`${rig.url}/${code?.search}`);
  await failure(page);
  expect(new URL(page.url()).search).toBe('');
  // With what this tab has begun, but another's state.
  await button(page).click();
  await page.getByText('Continue as alice').waitFor();
  await page.goto(`${rig.url}/?code=x&state=y&iss=${encodeURIComponent(issuer.url)}`);
  await failure(page);
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  await close();
});

test('an issuer that is away: the reason, and tokens work all the same', async () => {
  const { page, close } = await openSignIn();
  const gone = (_: URL, __: unknown, response: { destroy(): unknown }) => void response.destroy();
  issuer.pages.set('/.well-known/openid-configuration', gone);
  await button(page).click();
  expect(await failure(page)).toContain(new URL(issuer.url).host);
  issuer.pages.delete('/.well-known/openid-configuration');
  await page.fill('input', rig.token);
  await page.click('button[type=submit]');
  await page.locator('.verdict').waitFor();
  await close();
});

test('a token that the api does not take, and one that expires', async () => {
  const { page, close } = await openSignIn();
  issuerPage.accessClaims = { aud: 'another', scope };
  await signIn(page);
  await page.locator('[role=alert] code', { hasText: 'unauthorized' }).waitFor();
  // It has expired by what it says of itself, and the api takes it for two more calls.
  await page.route('**/v1/me', async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      json: { ...(await response.json()), expiresAt: '2026-01-01T00:00:00Z' },
    });
  });
  issuerPage.accessClaims = { scope };
  await signIn(page);
  await page.locator('nav').first().waitFor();
  const refused = { code: 'unauthorized', title: 'A valid token is needed', status: 401 };
  await page.route('**/v1/topics**', (route) => route.fulfill({ status: 401, json: refused }));
  await page.evaluate('location.hash = "#/messages"');
  await page.locator('[role=alert]', { hasText: 'expired' }).waitFor();
  await button(page).waitFor();
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  await close();
});
