// The requests that SDKs are tried with: what a route's handler gets of some payloads, in each format, signed.
import { openSigner } from '../../../bridge/handler/request-signing.ts';
import { createSink } from '../../../bridge/handler/sink.ts';
import { requestFor, routeOf } from '../../bridge/handler/routes.ts';
import { message } from '../../support/messages.ts';

export const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const payloads: Readonly<Record<string, Buffer>> = {
  JSON: Buffer.from('{"celsius":21.5}'),
  text: Buffer.from('21.5 °C'),
  bytes: Buffer.from([0, 0xff, 0xfe, 0x0a]),
  'an empty payload': Buffer.alloc(0),
};
const formats = ['cloudevents-batch', 'cloudevents', 'cloudevents-binary', 'raw'] as const;

export interface SentRequest {
  readonly name: string;
  readonly format: (typeof formats)[number];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly payload: string;
  readonly json?: unknown;
}

/** In `raw` the question is whether the signature can be verified; in the others, whether the event has its data. */
export async function sentRequests(): Promise<SentRequest[]> {
  const requests: SentRequest[] = [];
  for (const format of formats) {
    const route = routeOf({ format, secret });
    const [sink, signer] = [createSink(route), await openSigner(route)];
    for (const [what, payload] of Object.entries(payloads)) {
      const request = requestFor(sink, message({ payload, id: 'id-1', topic: 'rooms/kitchen' }));
      requests.push({
        name: `${format === 'raw' ? 'the signature of' : format}: ${what}`,
        format,
        headers: { ...request.headers, ...(await signer?.headers(request)) },
        body: request.body.toString('base64'),
        payload: payload.toString('base64'),
        ...(what === 'JSON' && { json: JSON.parse(payload.toString()) }),
      });
    }
    sink.close();
  }
  return requests;
}
