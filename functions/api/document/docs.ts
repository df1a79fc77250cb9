// The docs page: the OpenAPI document as HTML for people, whole in itself, without scripts or other hosts.
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { isProblemCode, problems } from '../../contract/problem.ts';
import { curlCommand, exampleRequest, resolved } from './docs-example.ts';
import {
  type Cell,
  explanation,
  fieldsTable,
  type Html,
  prose,
  table,
  typeOf,
} from './docs-fields.ts';
import { docsStyle } from './docs-style.ts';
import type {
  OpenApiDocument,
  OperationObject,
  ParameterObject,
  ResponseObject,
} from './openapi.ts';
import type { JsonSchema } from './openapi-schemas.ts';

/** Content security policy under which the page shows as it should: its own style, and nothing else. */
export const docsContentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(docsStyle).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface PlacedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

/** The page of a document, as HTML text. */
export async function docsPage(document: OpenApiDocument): Promise<string> {
  const { info, tags, paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const tagged = tags.map((tag) => ({
    ...tag,
    operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<style>${raw(docsStyle)}</style>
</head>
<body>
<header>
<h1>${info.title} API <small>${info.version}</small></h1>
<p>${prose(info.description)}</p>
<p>The same as a machine reads it: <a href="/openapi.json">OpenAPI 3.1 document</a>.</p>
</header>
<main>
${authentication}
<nav>
<h2 id="operations">Operations</h2>
${tagged.map(
  ({ name, operations }) => html`<h3>${name}</h3>
<ul>${operations.map(
    ({
      method,
      path,
      operation,
    }) => html`<li><a href="#${operation.operationId}">${methodAndPath(method, path)}</a>
<span>${operation.summary}</span></li>`,
  )}</ul>`,
)}
</nav>
${tagged.map(
  ({ name, description, operations }) => html`<section>
<h2>${name}</h2>
<p>${prose(description)}</p>
${operations.map((one) => operationArticle(one, document))}
</section>`,
)}
<section>
<h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas).map(
  ([id, schema]) => html`<article id="schema-${id}">
<h3>${id}</h3>
${schema.description === undefined ? '' : html`<p>${prose(schema.description)}</p>`}
${fieldsTable(schema)}
</article>`,
)}
</section>
<section>
<h2 id="problems">Problems</h2>
<p>An error has the media type <code>application/problem+json</code> and the form of
<a href="#schema-Problem">Problem</a>. Its <code>code</code> is part of the interface and stays.</p>
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

const authentication = html`<section>
<h2 id="authentication">Authentication</h2>
<p>Every operation needs a bearer token: one made with <code>npm run token</code>, or a JWT where an issuer is
configured. The examples on this page take server and token from the environment:</p>
<pre><code>export CAUSEWAY_URL=http://127.0.0.1:8080
export CAUSEWAY_TOKEN=…</code></pre>
<h4>Scopes</h4>
<p>A token may do what its scopes name, and nothing else. A topic filter stands for the topics that it matches,
exactly as MQTT does: <code>+</code> for one level, <code>#</code> for all that follow. Filters that begin with a
wildcard do not match topics that begin with <code>$</code>.</p>
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
    [html`<code>admin</code>`, 'All of this on all topics; and routes and replays.'],
  ],
)}
<p>For example <code>read:devices/#</code> and <code>publish:devices/+/cmd</code>. What is asked for by
its id and may not be seen is answered like what there is not.</p>
</section>`;

function operationArticle(
  { method, path, operation }: PlacedOperation,
  document: OpenApiDocument,
): Html {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const body = requestBody?.content['application/json']?.schema;
  return html`<article id="${operationId}">
<h3>${methodAndPath(method, path)}</h3>
<p>${prose(description === undefined ? `${summary}.` : `${summary}. ${description}`)}</p>
${
  parameters.length === 0
    ? ''
    : html`<h4>Parameters</h4>
${table(['Name', 'Type', ''], parameters.map(parameterRow))}`
}
${
  body === undefined || requestBody === undefined
    ? ''
    : html`<h4>Body</h4>
<p>${typeOf(body)} as <code>application/json</code>. ${requestBody.description}</p>
${fieldsTable(resolved(body, document))}`
}
<h4>Answers</h4>
${table(['Status', 'Body', ''], Object.entries(responses).map(responseRow))}
<h4>Example</h4>
<pre><code>${curlCommand(exampleRequest(method, path, operation, document))}</code></pre>
</article>`;
}

function methodAndPath(method: string, path: string): Html {
  const name = method.toUpperCase();
  return html`<span class="method ${name}">${name}</span> <code class="path">${path}</code>`;
}

function parameterRow(parameter: ParameterObject): Cell[] {
  const { name, in: place, required, description, schema } = parameter;
  const where = place === 'query' ? '' : `, in the ${place === 'path' ? 'path' : 'headers'}`;
  return [
    html`<code>${name}</code>`,
    html`${typeOf(schema)}<span class="note">${required ? ', required' : ''}${where}</span>`,
    explanation(schema, description),
  ];
}

function responseRow([status, response]: [string, ResponseObject]): Cell[] {
  const { description, headers = {}, content = {} } = response;
  const codes = content['application/problem+json']?.schema.properties?.['code'];
  return [
    html`<code>${status}</code>`,
    codes !== undefined ? html`<a href="#schema-Problem">Problem</a>` : mediaTypes(content),
    html`${codes === undefined ? html`<p>${prose(description)}</p>` : codeLines(codes as JsonSchema)}${Object.entries(
      headers,
    ).map(([name, header]) => html`<p><code>${name}</code>: ${prose(header.description)}</p>`)}`,
  ];
}

function mediaTypes(content: NonNullable<ResponseObject['content']>): Cell {
  const types = Object.entries(content);
  if (types.length === 0) return 'none';
  return types.map(
    ([type, { schema }]) => html`<p>${typeOf(schema)} <span class="note">${type}</span></p>`,
  );
}

function codeLines({ enum: codes = [] }: JsonSchema): Html[] {
  return codes
    .filter(isProblemCode)
    .map(
      (code) =>
        html`<p><a href="#problem-${code}"><code>${code}</code></a>: ${problems[code].title}.</p>`,
    );
}
