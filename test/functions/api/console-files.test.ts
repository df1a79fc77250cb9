// The console's files as the api answers with them: what a browser may keep, what it may run, and what is not there.
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createApi } from '../../../functions/api/api.ts';
import { consoleRoutes, signInOf } from '../../../functions/api/console-files.ts';
import type { IssuerSignIn } from '../../../functions/contract/sign-in.ts';

const page = '<!doctype html><head><title>Causeway</title></head>';
const script = 'console.log("ü")';

function api() {
  let loads = 0;
  const app = createApi({
    endpoints: [],
    authenticate: async () => undefined,
    console: async () => {
      loads++;
      return new Map([
        ['index.html', Buffer.from(page)],
        ['assets/main-ABC.js', Buffer.from(script)],
      ]);
    },
  });
  return { app, loads: () => loads };
}

async function told(signIn: IssuerSignIn | undefined) {
  const load = async () => new Map([['index.html', Buffer.from(page)]]);
  const answer = await consoleRoutes(load, signIn).request('/');
  return { headers: answer.headers, text: await answer.text() };
}

test('the page is asked for each time, and what it names is kept for ever', async () => {
  const { app } = api();
  const answers = await Promise.all(['/', '/assets/main-ABC.js'].map((path) => app.request(path)));
  expect(answers.map(({ status, headers }) => [status, headers.get('cache-control')])).toEqual([
    [200, 'no-cache'],
    [200, 'public, max-age=31536000, immutable'],
  ]);
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([page, script]);
});

test('nothing is run that is not a file of this server, and no frame goes around it', async () => {
  const { headers } = await api().app.request('/');
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
  expect(policy).not.toMatch(/https?:/);
});

test('the page is told of an issuer, may ask it, and no other', async () => {
  const signIn = {
    issuer: 'https://id.example.com/realms/"<a>&',
    clientId: 'console',
    audience: 'causeway',
    scopes: ['profile'],
  };
  const { headers, text } = await told(signIn);
  expect(headers.get('content-security-policy')).toContain(
    "connect-src 'self' https://id.example.com;",
  );
  const [, content = ''] = /<meta name="causeway-issuer" content="([^"]*)">/.exec(text) ?? [];
  const json = content.replaceAll('&lt;', '<').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  expect(JSON.parse(json)).toEqual(signIn);
  expect(content).not.toContain('<');
  expect(signInOf({ issuer: signIn.issuer, audience: 'causeway', scopes: [] })).toBeUndefined();
  expect((await told(undefined)).text).toBe(page);
});

test('who has it gets 304, who takes gzip gets that, and it is read once', async () => {
  const { app, loads } = api();
  const { headers } = await app.request('/assets/main-ABC.js');
  const etag = headers.get('etag') ?? '';
  const again = await app.request('/', { headers: { 'if-none-match': 'W/"another"' } });
  const kept = await app.request('/assets/main-ABC.js', { headers: { 'if-none-match': etag } });
  const packed = await app.request('/assets/main-ABC.js', {
    headers: { 'accept-encoding': 'br, gzip' },
  });
  expect([again.status, kept.status, packed.headers.get('content-encoding')]).toEqual([
    200,
    304,
    'gzip',
  ]);
  expect(gunzipSync(Buffer.from(await packed.arrayBuffer())).toString()).toBe(script);
  expect(loads()).toBe(1);
});

test.each([
  ['GET', '/assets/main-DEF.js', 404],
  ['GET', '/assets/..%2Findex.html', 404],
  ['GET', '/index.html', 404],
  ['POST', '/', 405],
  ['HEAD', '/', 200],
])('%s %s is %i', async (method, path, status) => {
  expect((await api().app.request(path, { method })).status).toBe(status);
});
