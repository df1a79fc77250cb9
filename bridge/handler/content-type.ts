// The media type of a payload that is a request's body: what the device declares, or what the bytes look like. Pure.
import { isUtf8 } from 'node:buffer';
import { isJsonText } from '../../functions/contract/json-syntax.ts';
import { declaredType } from '../../functions/contract/media-type.ts';
import type { Message } from '../../functions/contract/message.ts';

export function contentTypeOf(message: Message): string {
  const declared = declaredType(message);
  if (declared !== undefined && !isEvent(declared)) return declared;
  const { payload } = message;
  if (!isUtf8(payload)) return 'application/octet-stream';
  return isJsonText(payload) ? 'application/json' : 'text/plain; charset=utf-8';
}

/** A device that calls its payload a CloudEvent would have its own attributes read in place of the bridge's. */
function isEvent(type: string): boolean {
  return type.toLowerCase().startsWith('application/cloudevents');
}
