// The media type of a payload that is a request's body: what the device declares, or what the bytes look like. Pure.
import { isUtf8 } from 'node:buffer';
import type { Message } from '../../functions/contract/message.ts';

const maxTypeBytes = 255;
const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
/** RFC 9110, 8.3.1; parameters with a value in quotes too. */
const mediaType = new RegExp(
  `^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|"[\\t !#-\\[\\]-~]*"))*$`,
);

export function contentTypeOf({ payload, properties }: Message): string {
  const declared = properties?.contentType;
  if (declared !== undefined && isUsable(declared)) return declared;
  if (!isUtf8(payload)) return 'application/octet-stream';
  return isJson(payload) ? 'application/json' : 'text/plain; charset=utf-8';
}

/** A device that calls its payload a CloudEvent would have its own attributes read in place of the bridge's. */
function isUsable(type: string): boolean {
  return (
    type.length <= maxTypeBytes &&
    mediaType.test(type) &&
    !type.toLowerCase().startsWith('application/cloudevents')
  );
}

function isJson(payload: Uint8Array): boolean {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  // Most text is none by its first character.
  if (!/^[\t\n\r ]*[{["tfn\d-]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
