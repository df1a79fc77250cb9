import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { docsContentSecurityPolicy, docsPage } from '../../../../functions/api/document/docs.ts';
import { curlCommand, exampleRequest } from '../../../../functions/api/document/docs-example.ts';
import { openApiDocument } from '../../../../functions/api/document/openapi.ts';
import { documentRoutes } from '../../../../functions/api/document/routes.ts';
import type { Operation } from '../../../../functions/api/interface/operation.ts';
import { problems } from '../../../../functions/contract/problem.ts';

const lamp = z
  .strictObject({ name: z.string(), pair: z.tuple([z.string(), z.int().min(3)]) })
  .meta({ id: 'Lamp' });

const operations: Operation[] = [
  {
    id: 'listLamps',
    method: 'get',
    path: '/v1/lamps',
    tag: 'Messages',
    summary: 'Lamps <b>of</b> a "topic"',
    description: 'Those that `are on`.',
    query: z.strictObject({
      topic: z.string().meta({ examples: ["it's/on"] }),
      order: z.enum(['up', 'down']).optional(),
    }),
    answers: { 200: { description: 'Lamps.', content: { 'application/json': z.array(lamp) } } },
    problems: ['forbidden'],
  },
  {
    id: 'changeLamp',
    method: 'post',
    path: '/v1/lamps/{id}',
    tag: 'Commands',
    summary: 'Change a lamp',
    params: z.strictObject({ id: z.string().meta({ examples: ['lamp-7'] }) }),
    body: { schema: lamp, maxBytes: 100 },
    answers: { 204: { description: 'Changed.' } },
    problems: [],
  },
];

const document = openApiDocument(operations, { version: '1.0.0' });
const page = await docsPage(document);

test('every operation, schema and problem can be found by its link', () => {
  const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
  const places = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(links).toEqual(expect.arrayContaining(['listLamps', 'changeLamp', 'schema-Lamp']));
  expect(links.filter((id) => !places.includes(id))).toEqual([]);
  expect(new Set(places).size).toBe(places.length);
  for (const code of Object.keys(problems)) expect(places).toContain(`problem-${code}`);
});

test('texts are escaped, and code in them is shown as code', () => {
  expect(page).toContain('Lamps &lt;b&gt;of&lt;/b&gt; a &quot;topic&quot;');
  expect(page).toContain('Those that <code>are on</code>.');
});

test('the page needs nothing but itself', () => {
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(|\sstyle=|\son\w+=/);
  expect([...page.matchAll(/(?:src|href)="(?!#)([^"]*)"/g)].map(([, url]) => url)).toEqual([
    '/',
    '/openapi.json',
  ]);
});

test('the policy allows the style of the page and what this server has, and nothing else', () => {
  const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(docsContentSecurityPolicy).toContain(
    `default-src 'none'; style-src 'sha256-${hash}'; script-src 'self'; connect-src 'self';`,
  );
});

test('examples have what is required, and are quoted for a shell', () => {
  const command = (path: string, method: string) => {
    const operation = document.paths[path]?.[method];
    if (operation === undefined) throw new Error(`no operation ${method} ${path}`);
    return curlCommand(exampleRequest(method, path, operation, document));
  };
  expect(command('/v1/lamps', 'get')).toBe(
    `curl --get http://127.0.0.1:8080/v1/lamps \\
  -H "Authorization: Bearer $CAUSEWAY_TOKEN" \\
  --data-urlencode 'topic=it'\\''s/on'`,
  );
  expect(command('/v1/lamps/{id}', 'post')).toBe(
    `curl -X POST http://127.0.0.1:8080/v1/lamps/lamp-7 \\
  -H "Authorization: Bearer $CAUSEWAY_TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d '{"name":"text","pair":["text",3]}'`,
  );
});

test('/openapi.json and /docs are served, and not again to those who have them', async () => {
  const app = documentRoutes(operations);
  const json = await app.request('/openapi.json');
  expect(json.headers.get('content-type')).toBe('application/json');
  expect(await json.json()).toEqual(JSON.parse(JSON.stringify(document)));
  const docs = await app.request('/docs');
  expect(docs.headers.get('content-type')).toBe('text/html; charset=UTF-8');
  expect(docs.headers.get('content-security-policy')).toBe(docsContentSecurityPolicy);
  expect(await docs.text()).toBe(page);
  for (const response of [json, docs]) {
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
    const again = await app.request(response === json ? '/openapi.json' : '/docs', {
      headers: { 'if-none-match': response.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
  }
});
