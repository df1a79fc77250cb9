// Pieces of the docs page: tables, fields and types of a schema, text with code in it.
import { html } from 'hono/html';
import { type JsonSchema, schemasPointer } from './openapi-schemas.ts';

export type Html = ReturnType<typeof html>;

/** The fields of an object; of anything else, what it is. */
export function fieldsTable(schema: JsonSchema): Html {
  const { properties, required = [] } = schema;
  if (properties === undefined) return html`<p>${typeOf(schema)}</p>`;
  return table(
    ['Field', 'Type', ''],
    Object.entries(properties).map(([name, property]) => {
      const field = property as JsonSchema;
      return [
        html`<code>${name}</code>`,
        html`${typeOf(field)}<span class="note">${required.includes(name) ? ', required' : ''}</span>`,
        explanation(field, field.description),
      ];
    }),
  );
}

/** What a field means, and its range and default. */
export function explanation(schema: JsonSchema, description: string | undefined): Html {
  const { minimum, maximum, minItems, maxItems, default: value } = schema;
  const notes = [
    ...(minimum !== undefined && maximum !== undefined ? [`${minimum} to ${maximum}`] : []),
    ...(minimum !== undefined && maximum === undefined ? [`${minimum} or more`] : []),
    ...(minItems !== maxItems && maxItems !== undefined
      ? [`${minItems ?? 0} to ${maxItems} items`]
      : []),
    ...(value !== undefined ? [`default ${JSON.stringify(value)}`] : []),
  ];
  return html`${description === undefined ? '' : html`<p>${prose(description)}</p>`}${
    notes.length === 0 ? '' : html`<p class="note">${notes.join(', ')}</p>`
  }`;
}

/** A schema in a few words, with a link where it has a name. */
export function typeOf(schema: JsonSchema): Html {
  const { $ref, type, items, prefixItems, anyOf, oneOf, format, contentEncoding } = schema;
  if ($ref !== undefined) {
    const id = $ref.slice(schemasPointer.length);
    return html`<a href="#schema-${id}">${id}</a>`;
  }
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (values !== undefined)
    return joined(values.map((one) => html`<code>${JSON.stringify(one)}</code>`));
  const union = anyOf ?? oneOf;
  if (union !== undefined) return joined(union.map(typeOf));
  if (prefixItems !== undefined)
    return html`[${prefixItems.map((item, index) => html`${index > 0 ? ', ' : ''}${typeOf(item as JsonSchema)}`)}]`;
  if (type === 'array') return html`array of ${typeOf((items ?? {}) as JsonSchema)}`;
  const words = [type ?? 'any JSON', format ?? contentEncoding].filter(
    (word) => word !== undefined,
  );
  return html`${words.join(', ')}`;
}

function joined(parts: readonly Html[]): Html {
  return html`${parts.map((part, index) => html`${index > 0 ? ' or ' : ''}${part}`)}`;
}

export type Cell = Html | Html[] | string | number;

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  return html`<table>
<thead><tr>${head.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table>`;
}

/** Text in which code stands between backticks. */
export function prose(text: string): Html {
  const parts = text.split('`');
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}
