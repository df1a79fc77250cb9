// How stored messages look to a caller: JSON payloads as JSON, text as text, anything else as base64.
import { isUtf8 } from 'node:buffer';
import { asBuffer } from '../contract/envelope.ts';
import type { Message } from '../contract/message.ts';

/**
 * One message as JSON text. A payload that is JSON, but not a JSON string, stands there as it was sent, byte
 * for byte: re-serializing would change 2^53+1, 1e400 and doubled keys. A string is the text of the payload.
 * So what `payload` holds can be given to `POST /v1/publish` and sends the same again.
 */
export function messageJson(message: Message): string {
  const { payload, properties, packetId: _, possibleDuplicate: __, ...rest } = message;
  const { correlationData, ...shown } = properties ?? {};
  const head = JSON.stringify({
    ...rest,
    ...shown,
    ...(correlationData !== undefined && {
      correlationDataBase64: asBuffer(correlationData).toString('base64'),
    }),
  });
  return `${head.slice(0, -1)},${payloadMember(payload)}}`;
}

function payloadMember(payload: Uint8Array): string {
  const bytes = asBuffer(payload);
  if (!isUtf8(bytes)) return `"payloadBase64":"${bytes.toString('base64')}"`;
  const text = bytes.toString('utf8');
  return `"payload":${isJsonValue(text) ? text : JSON.stringify(text)}`;
}

function isJsonValue(text: string): boolean {
  try {
    return typeof JSON.parse(text) !== 'string';
  } catch {
    return false;
  }
}
