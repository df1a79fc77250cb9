// The docs page: the OpenAPI document as HTML for people. It is whole in itself; a script, where there is one, searches,
// copies and runs its lines.
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { problems } from '../../contract/problem.ts';
import { fieldsTable, prose, table } from './docs-fields.ts';
import { operationArticle } from './docs-operation.ts';
import { docsStyle } from './docs-style.ts';
import type { OpenApiDocument } from './openapi-objects.ts';
import { commonProblems } from './openapi-problems.ts';

/** Under which the page shows as it should: its own style, this server's scripts and calls, and nothing else. */
export const docsContentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(docsStyle).digest('base64')}'`,
  "script-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page of a document, as HTML text; `script` is the path of its script, where there is one. */
export async function docsPage(document: OpenApiDocument, script?: string): Promise<string> {
  const { info, tags, paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const tagged = tags.map((tag) => ({
    ...tag,
    id: `tag-${tag.name.toLowerCase().replaceAll(' ', '-')}`,
    operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<style>${raw(docsStyle)}</style>
${script === undefined ? '' : html`<script type="module" src="${script}"></script>`}
</head>
<body>
<nav class="side" aria-label="Operations">
<p class="title"><a href="/">${info.title}</a> API <small>${info.version}</small></p>
<div id="search"></div>
${tagged.map(
  ({ name, id, operations }) => html`<section>
<h2><a href="#${id}">${name}</a></h2>
<ul>${operations.map(
    ({ method, path, operation: { operationId, summary } }) =>
      html`<li data-operation="${summary} ${method} ${path}"><a href="#${operationId}"><span class="method ${method.toUpperCase()}">${method.toUpperCase()}</span> ${summary}</a></li>`,
  )}</ul>
</section>`,
)}
<section><h2><a href="#scopes">Scopes</a></h2></section>
<section><h2><a href="#schemas">Schemas</a></h2></section>
<section><h2><a href="#problems">Errors</a></h2></section>
</nav>
<main>
<header>
<h1>The HTTP interface</h1>
<p>${prose(info.description)} The same as a machine reads it: <a href="/openapi.json">OpenAPI 3.1</a>.
Every operation needs a token: the one that <code>npm start</code> prints, one made with <code>npx causeway token</code> or
under Tokens in the console, or a JWT where an issuer is configured. The lines below take it from the environment, and
fit <code>npm start -- --demo</code>:</p>
<pre class="line" tabindex="0"><code>export CAUSEWAY_TOKEN=…</code></pre>
<div id="token"></div>
</header>
${tagged.map(
  ({ name, id, description, operations }) => html`<section class="group">
<h2 id="${id}">${name}</h2>
<p>${prose(description)}</p>
${operations.map((one) => operationArticle(one, document))}
</section>`,
)}
${scopes}
<section class="group">
<h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas).map(
  ([id, schema]) => html`<details class="schema" id="schema-${id}">
<summary>${id} <span class="note">${schema.description === undefined ? '' : prose(schema.description)}</span></summary>
${fieldsTable(schema)}
</details>`,
)}
</section>
<section class="group">
<h2 id="problems">Errors</h2>
<p>An error has the media type <code>application/problem+json</code> and the form of
<a href="#schema-Problem">Problem</a>. Its <code>code</code> is part of the interface and stays. Any operation may answer with
${commonProblems.map((code) => html`<a href="#problem-${code}">${code}</a> `)}and, where it takes a body, with those
about the body.</p>
${table(
  ['Code', 'Status', 'Meaning'],
  Object.entries(problems).map(([code, { status, title }]) => [
    html`<code id="problem-${code}">${code}</code>`,
    status,
    title,
  ]),
)}
</section>
</main>
</body>
</html>
`;
  return page.toString();
}

const scopes = html`<section class="group">
<h2 id="scopes">Scopes</h2>
<p>A token may do what its scopes name, and nothing else. A topic filter stands for the topics that it matches,
exactly as MQTT does: <code>+</code> for one level, <code>#</code> for all that follow. Filters that begin with a
wildcard do not match topics that begin with <code>$</code>. What is asked for by its id and may not be seen is answered
like what there is not.</p>
${table(
  ['Scope', 'Allows'],
  [
    [
      html`<code>read:<i>filter</i></code>`,
      'To read messages, topics, commands and dead letters of these topics.',
    ],
    [
      html`<code>publish:<i>filter</i></code>`,
      'To publish to these topics, to have answers sent to them, and to follow the commands.',
    ],
    [
      html`<code>delete:<i>filter</i></code>`,
      'To delete what is retained on these topics, and to delete or replay their dead letters.',
    ],
    [
      html`<code>read:$presence/<i>filter</i></code>`,
      'To see which clients are online, of the client ids that match.',
    ],
    [html`<code>admin</code>`, 'All of this on all topics; and routes, replays and tokens.'],
  ],
)}
</section>`;
