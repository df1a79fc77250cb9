// Stored messages as a batch of CloudEvents 1.0, for callers that ask for it by their Accept header.
import { parseAccept } from 'hono/utils/accept';
import * as z from 'zod';
import { envelopeBatchType } from '../../contract/envelope.ts';
import { encodeAttributes } from '../../contract/event-attributes.ts';
import { messageEventTypes } from '../../contract/event-version.ts';
import type { Message } from '../../contract/message.ts';
import { receivedAfterField, shownPayload } from './representation.ts';

/**
 * Whether the caller names CloudEvents and wants nothing rather. A batch is only for those who ask for it by name
 * (CloudEvents JSON format, 4): all others get JSON, also those that accept neither.
 */
export function prefersCloudEvents(accept = ''): boolean {
  const accepted = parseAccept(accept);
  const qualityOf = (...types: string[]) =>
    accepted.find(({ type }) => types.includes(type.toLowerCase()))?.q ?? 0;
  const quality = qualityOf(envelopeBatchType);
  return quality > 0 && quality >= qualityOf('application/json', 'application/*', '*/*');
}

/** An event, as {@link cloudEventJson} writes it. */
export const cloudEventSchema = z
  .strictObject({
    specversion: z.literal('1.0'),
    type: z.literal(messageEventTypes[1]),
    id: z.string(),
    producerid: z.string().optional().describe('The id that its producer gave it.'),
    source: z.string(),
    subject: z.string().describe('The topic.'),
    time: z.iso.datetime({ precision: 6 }),
    receivedafter: receivedAfterField,
    qos: z.int().min(0).max(2),
    retain: z.boolean(),
    contenttype: z.string().optional().describe('As the device declared it.'),
    responsetopic: z.string().optional(),
    correlationdata: z.base64().optional(),
    userproperties: z
      .string()
      .optional()
      .describe('JSON text of an array of pairs: attributes of an event are scalars.'),
    messageexpiry: z.int().min(0).optional(),
    payloadformat: z.int().min(0).max(1).optional(),
    datacontenttype: z.string(),
    data: z.unknown().optional().describe('JSON as it was sent, byte for byte, or text.'),
    data_base64: z.base64().optional().describe('A payload that is not UTF-8.'),
  })
  .meta({ id: 'CloudEvent', description: 'A stored message as a CloudEvent.' });

/** One message as an event in JSON text. */
export function cloudEventJson(message: Message): string {
  const { packetId: _, possibleDuplicate: __, ...shown } = message;
  const head = encodeAttributes(shown);
  const payload = shownPayload(message.payload);
  if (payload.kind === 'json') {
    return `${head},"datacontenttype":"application/json","data":${payload.text}}`;
  }
  const declared = mediaTypeOf(message);
  if (payload.kind === 'bytes') {
    const type = JSON.stringify(declared ?? 'application/octet-stream');
    return `${head},"datacontenttype":${type},"data_base64":"${payload.base64}"}`;
  }
  const type = JSON.stringify(declared ?? 'text/plain');
  return `${head},"datacontenttype":${type},"data":${JSON.stringify(payload.text)}}`;
}

/**
 * The content type that the device declared, where it is a media type and not one of JSON: under that `data` would
 * have to be JSON, and the payload is not.
 */
function mediaTypeOf({ properties }: Message): string | undefined {
  const declared = properties?.contentType;
  if (declared === undefined || declared.length > 255) return undefined;
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+( *;[\x20-\x7e]*)?$/.test(declared)) return undefined;
  return /[/+]json *(;|$)/i.test(declared) ? undefined : declared;
}

/**
 * Renders a list as a batch of events. The next page stands in the `Link` header: at its address, or where `path`
 * takes its parameters in a body, as the attribute `cursor` of the link.
 */
export function asCloudEvents(path: string, query: Readonly<Record<string, unknown>> | undefined) {
  return (messages: readonly Message[], nextCursor: string | undefined): Response =>
    new Response(`[${messages.map(cloudEventJson).join(',')}]`, {
      headers: {
        'content-type': envelopeBatchType,
        ...(nextCursor !== undefined && { link: linkTo(path, query, nextCursor) }),
      },
    });
}

/** The value of a `Link` header: where a list goes on. */
export function linkTo(
  path: string,
  query: Readonly<Record<string, unknown>> | undefined,
  cursor: string,
): string {
  if (query === undefined) return `<${path}>; rel="next"; cursor="${cursor}"`;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, cursor })) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return `<${path}?${parameters}>; rel="next"`;
}
