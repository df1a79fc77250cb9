// The OpenAPI document as a judge: holds each answer to what it says, and knows which answers were never seen.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type {
  OpenApiDocument,
  OperationObject,
  ResponseObject,
} from '../../functions/api/document/openapi-objects.ts';
import type { JsonSchema } from '../../functions/api/document/openapi-schemas.ts';

const problemType = 'application/problem+json';

export interface Contract {
  /** What is wrong with an answer to an operation; an empty list where nothing is. */
  faults(operationId: string, response: Response): Promise<string[]>;
  /**
   * What the document promises and no answer had so far: `operationId status`, and behind it a media type, a
   * problem's code or the name of a header.
   */
  unseen(): string[];
}

/** Headers that an answer with this status must have, not only may. */
const requiredHeaders: Readonly<Record<number, string>> = {
  401: 'WWW-Authenticate',
  429: 'Retry-After',
};

export const isJsonType = (type: string | null) => type !== null && /[/+-]json/.test(type);

export function createContract(document: OpenApiDocument): Contract {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  formats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const validators = new Map<string, ValidateFunction>();
  const operations = new Map<string, { pointer: string; operation: OperationObject }>();
  const unseen = new Set<string>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const pointer = ['paths', path, method].map(pointerPart).join('/');
      operations.set(operation.operationId, { pointer, operation });
      for (const [status, response] of Object.entries(operation.responses))
        for (const part of partsOf(response))
          unseen.add(`${operation.operationId} ${status} ${part}`);
    }
  }

  function validator(reference: string): ValidateFunction {
    const validate = validators.get(reference) ?? ajv.compile({ $ref: reference });
    validators.set(reference, validate);
    return validate;
  }

  async function faults(operationId: string, response: Response): Promise<string[]> {
    const found = operations.get(operationId);
    if (found === undefined) return ['is not in the document'];
    const status = String(response.status);
    const answer = found.operation.responses[status];
    if (answer === undefined) return [`${status} is not in the document`];
    const seen = (part: string) => unseen.delete(`${operationId} ${status} ${part}`);

    const required = requiredHeaders[response.status];
    if (required !== undefined && !response.headers.has(required))
      return [`${status} has no ${required}`];
    for (const name of response.headers.keys()) seen(name);
    const type = response.headers.get('content-type');
    const text = await response.text();
    if (answer.content === undefined) {
      seen('no body');
      return text === '' && type === null ? [] : [`${status} has a body of type ${type}`];
    }
    if (type === null || answer.content[type] === undefined)
      return [`${status} has the type ${type}`];
    const place = ['responses', status, 'content', type, 'schema'].map(pointerPart).join('/');
    const validate = validator(`openapi#/${found.pointer}/${place}`);
    const body = isJsonType(type) ? JSON.parse(text) : text;
    seen(type === problemType ? body.code : type);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${status} ${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  return { faults, unseen: () => [...unseen] };
}

/** What an answer may have: media types, or the codes of its problems, and headers. */
function partsOf({ headers = {}, content }: ResponseObject): string[] {
  const codes = content?.[problemType]?.schema.properties?.['code'];
  const bodies = codes === undefined ? Object.keys(content ?? { 'no body': '' }) : codesOf(codes);
  return [...bodies, ...Object.keys(headers).map((name) => name.toLowerCase())];
}

function codesOf(schema: NonNullable<JsonSchema['properties']>[string]): string[] {
  return typeof schema === 'object' ? (schema.enum ?? []).map(String) : [];
}

/** A name as a part of a JSON pointer in a URL's fragment. */
function pointerPart(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}
