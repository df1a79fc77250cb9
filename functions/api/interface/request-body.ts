// A request's JSON body: of the right type, within its limit, valid UTF-8, and parsed; or the problem with it.
import { type Problem, problem } from '../../contract/problem.ts';

export type JsonBody =
  | { readonly problem: Problem }
  | { readonly problem?: undefined; readonly text: string; readonly value: unknown };

/** Parses the body of `request`, whose size has been limited before. */
export async function readJsonBody(request: Request): Promise<JsonBody> {
  const mediaType = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json')
    return { problem: problem('unsupported-media-type', 'send application/json') };
  // Nothing is ever decompressed: so a small body cannot become a large one.
  if ((request.headers.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity')
    return { problem: problem('unsupported-media-type', 'send it without Content-Encoding') };
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const text = decoder.decode(await request.arrayBuffer());
    return { text, value: JSON.parse(text) };
  } catch {
    return { problem: problem('invalid-json') };
  }
}
