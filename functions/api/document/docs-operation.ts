// One operation on the docs page: its example with the answer first, what it takes and answers folded below.
import { html } from 'hono/html';
import { isProblemCode } from '../../contract/problem.ts';
import { curlCommand, exampleAnswer, exampleRequest, resolved } from './docs-example.ts';
import {
  type Cell,
  explanation,
  fieldsTable,
  type Html,
  prose,
  table,
  typeOf,
} from './docs-fields.ts';
import type {
  OpenApiDocument,
  OperationObject,
  ParameterObject,
  ResponseObject,
} from './openapi-objects.ts';
import { commonProblems } from './openapi-problems.ts';
import type { JsonSchema } from './openapi-schemas.ts';

export interface PlacedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

export function operationArticle(placed: PlacedOperation, document: OpenApiDocument): Html {
  const { method, path, operation } = placed;
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const body = requestBody?.content['application/json']?.schema;
  const successes = Object.entries(responses).filter(([, one]) => problemCodes(one) === undefined);
  return html`<article id="${operationId}" data-operation="${summary} ${method} ${path}">
<h3>${summary}</h3>
<p class="call">${methodAndPath(method, path)}</p>
${description === undefined ? '' : html`<p>${prose(description)}</p>`}
${example(placed, document)}
${
  parameters.length === 0
    ? ''
    : folded(
        'Parameters',
        parameters.map(({ name }) => name).join(', '),
        table(['Name', 'Type', ''], parameters.map(parameterRow)),
      )
}
${
  body === undefined || requestBody === undefined
    ? ''
    : folded(
        'Body',
        Object.keys(resolved(body, document).properties ?? {}).join(', '),
        html`<p>${typeOf(body)} as <code>application/json</code>. ${requestBody.description}</p>
${fieldsTable(resolved(body, document))}`,
      )
}
${folded('Answers', successes.map(([status]) => status).join(', '), table(['Status', 'Body', ''], successes.map(responseRow)))}
<p class="errors">Errors: ${errorLinks(Object.values(responses))}<a href="#problems">those of all</a></p>
</article>`;
}

export function methodAndPath(method: string, path: string): Html {
  const name = method.toUpperCase();
  return html`<span class="method ${name}">${name}</span> <code class="path">${path}</code>`;
}

/** The line, and beside it what comes back; with a script the line can be run in place. */
function example({ method, path, operation }: PlacedOperation, document: OpenApiDocument): Html {
  const request = exampleRequest(method, path, operation, document);
  const { status, body } = exampleAnswer(operation, document);
  const query = new URLSearchParams(
    request.query.map(([name, value]): [string, string] => [name, value]),
  ).toString();
  const url = query === '' ? request.path : `${request.path}?${query}`;
  return html`<div class="example" data-method="${request.method}" data-url="${url}" data-body="${request.body ?? ''}">
<figure><figcaption>Request</figcaption>
<pre class="line" tabindex="0"><code>${curlCommand(request)}</code></pre></figure>
<figure><figcaption>Answer <span class="note">${status}</span></figcaption>
<pre class="answer" tabindex="0"><code>${body ?? '(no body)'}</code></pre></figure>
</div>`;
}

const folded = (title: string, names: string, content: Html): Html =>
  html`<details><summary>${title} <span class="note">${names}</span></summary>
${content}
</details>`;

function parameterRow(parameter: ParameterObject): Cell[] {
  const { name, in: place, required, description, schema } = parameter;
  const where = place === 'query' ? '' : `, in the ${place === 'path' ? 'path' : 'headers'}`;
  return [
    html`<code>${name}</code>`,
    html`${typeOf(schema)}<span class="note">${required ? ', required' : ''}${where}</span>`,
    explanation(schema, description),
  ];
}

function responseRow([status, { description, headers = {}, content = {} }]: [
  string,
  ResponseObject,
]): Cell[] {
  return [
    html`<code>${status}</code>`,
    mediaTypes(content),
    html`<p>${prose(description)}</p>${Object.entries(headers).map(
      ([name, header]) => html`<p><code>${name}</code>: ${prose(header.description)}</p>`,
    )}`,
  ];
}

function mediaTypes(content: NonNullable<ResponseObject['content']>): Cell {
  const types = Object.entries(content);
  if (types.length === 0) return 'none';
  return types.map(
    ([type, { schema }]) => html`<p>${typeOf(schema)} <span class="note">${type}</span></p>`,
  );
}

function problemCodes({ content = {} }: ResponseObject): readonly unknown[] | undefined {
  const code = content['application/problem+json']?.schema.properties?.['code'];
  return code === undefined ? undefined : ((code as JsonSchema).enum ?? []);
}

/** Those of this operation alone; what each means, and which any may have, stands once at the end of the page. */
function errorLinks(responses: readonly ResponseObject[]): Html[] {
  return responses
    .flatMap((response) => problemCodes(response) ?? [])
    .filter(isProblemCode)
    .filter((code) => !commonProblems.includes(code))
    .map((code) => html`<a href="#problem-${code}">${code}</a> `);
}
