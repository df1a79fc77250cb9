// The headers of answers in the OpenAPI document.
import type { HeaderObject } from './openapi-objects.ts';

/** Headers of an answer, with what they say. */
export function headerObjects(
  headers: Readonly<Record<string, string>>,
): Record<string, HeaderObject> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      headerName(name),
      { description, schema: { type: 'string' } },
    ]),
  );
}

/** A header as it is usually written: `Idempotency-Key`. */
export function headerName(name: string): string {
  return name.replaceAll(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
