import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { routeSchema } from '../../../bridge/config/route.ts';
import { parseWith } from '../../../functions/contract/parse.ts';
import { hookSecretIn } from '../../../infra/local/hook-secret.ts';
import { type HookOption, hookRoutes, parseHooks } from '../../../infra/local/hooks.ts';

const options = (...given: readonly string[]) =>
  given.map((text) => {
    const [name, value = ''] = text.split('=');
    return { name: name as HookOption, value };
  });
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

describe('options', () => {
  test('what follows a hook is for it', () => {
    expect(
      parseHooks(
        options(
          'hook=http://localhost:3000/x',
          'hook=https://a.example',
          'filter=a/#',
          'format=raw',
        ),
      ),
    ).toEqual({
      ok: true,
      hooks: [
        { url: 'http://localhost:3000/x' },
        { url: 'https://a.example', filter: 'a/#', format: 'raw' },
      ],
    });
    expect(parseHooks([])).toEqual({ ok: true, hooks: [] });
  });

  test.each([
    [options('filter=a/#', 'hook=http://localhost'), '--filter: must follow'],
    [options('hook=http://localhost', 'filter=a', 'filter=b'), '--filter: is there twice'],
    [options('hook=localhost:3000'), '--hook (localhost:3000): must be a URL'],
    [options('hook=http://localhost', 'filter=a#'), '--filter (http://localhost): #'],
    [options('hook=http://localhost', 'format=xml'), '--format (http://localhost):'],
  ])('%j', (given, fault) => {
    const parsed = parseHooks(given);
    expect(parsed.ok ? [] : parsed.faults).toEqual([expect.stringContaining(fault)]);
  });
});

test('routes have names of their own, which stay with their URLs, and keep to the rules of the config', () => {
  const url = 'http://localhost:3000/a/very/long/path/to/somewhere/else';
  const routes = hookRoutes([{ url }, { url, filter: 'a' }, { url: 'http://[::1]:1' }], secret);
  expect(routes.map(({ name }) => name)).toEqual([
    'hook-localhost-3000-a-very-long-path',
    'hook-localhost-3000-a-very-long-path-2',
    'hook-1-1',
  ]);
  for (const { document } of routes) expect(parseWith(routeSchema, document).ok).toBe(true);
});

test('the secret is made once, kept, and nothing else is taken for it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hook-secret-'));
  const first = await hookSecretIn(folder);
  expect(first).toMatchObject({ secret: expect.stringMatching(/^whsec_/), isNew: true });
  expect(await hookSecretIn(folder)).toEqual({ ...first, isNew: false });
  expect(readFileSync(first.path, 'utf8')).toBe(`${first.secret}\n`);
  writeFileSync(first.path, 'whsec_short');
  await expect(hookSecretIn(folder)).rejects.toThrow('hook-secret must hold whsec_');
});
