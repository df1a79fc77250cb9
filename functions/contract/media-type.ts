// The media type that a device declares of its payload (MQTT 5), where it is one. Pure.
import type { Message } from './message.ts';

const maxTypeBytes = 255;
const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
/** RFC 9110, 8.3.1; parameters with a value in quotes too. */
const mediaType = new RegExp(
  `^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|"[\\t !#-\\[\\]-~]*"))*$`,
);

/** Undefined where it declares none, or something else than a media type. */
export function declaredType({ properties }: Message): string | undefined {
  const declared = properties?.contentType;
  if (declared === undefined || declared.length > maxTypeBytes) return undefined;
  return mediaType.test(declared) ? declared : undefined;
}

/** Whether a media type says that it is JSON: `application/json`, `text/json`, or one that ends with `+json`. */
export function isJsonType(type: string): boolean {
  return /^(?:(?:application|text)\/json|[^;]*\+json)[ \t]*(?:;|$)/i.test(type);
}
