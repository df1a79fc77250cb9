// The HTTP side of a route: one body, one POST, one verdict. Over node:http, which is all it takes here and
// needs a tenth of the memory of a client library.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { envelopeBatchType } from '../../functions/contract/envelope.ts';
import type { RouteConfig } from '../config.ts';
import type { RequestSigner, SignatureHeaders } from './request-signing.ts';
import { type Answer, type Verdict, verdictOf } from './verdict.ts';

/** Most bytes of an answer for each message of a batch: its id, a reason, and what stands around them. */
const maxReceiptBytes = 1500;

export interface Sink {
  /** Posts a batch. `ids` gives the ids of its messages, where the answer names some. */
  post(body: Buffer, ids: () => ReadonlySet<string>): Promise<Verdict>;
  close(): void;
}

export function createSink(
  route: Pick<RouteConfig, 'url' | 'timeoutMs' | 'concurrency' | 'maxBatch'>,
  signer?: RequestSigner,
): Sink {
  const url = new URL(route.url);
  const { Agent, request } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: route.concurrency });
  const inFlight = new Set<AbortController>();
  const maxAnswerBytes = (route.maxBatch + 10) * maxReceiptBytes;

  function open(
    body: Buffer,
    signature: SignatureHeaders | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          method: 'POST',
          agent,
          signal,
          headers: {
            'content-type': envelopeBatchType,
            'content-length': body.byteLength,
            ...signature,
          },
        },
        resolve,
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async function answerTo(body: Buffer): Promise<Answer> {
    // One timer over all: a slow trickle of header or body bytes ends with it too. (AbortSignal.any with
    // AbortSignal.timeout can be collected before it fires on Node 20.)
    const abort = new AbortController();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      abort.abort();
    }, route.timeoutMs);
    inFlight.add(abort);
    try {
      const signature = signer === undefined ? undefined : await signer.headers(body);
      const response = await open(body, signature, abort.signal);
      if (response.statusCode === 401 || response.statusCode === 403) signer?.doubt();
      const retryAfter = response.headers['retry-after'];
      return {
        kind: 'response',
        status: response.statusCode ?? 0,
        body: await textOf(response, maxAnswerBytes),
        ...(retryAfter !== undefined && { retryAfter }),
      };
    } catch (error) {
      if (timedOut) return { kind: 'failed', reason: `no answer within ${route.timeoutMs} ms` };
      return {
        kind: 'failed',
        reason: error instanceof Error ? error.message || error.name : String(error),
      };
    } finally {
      clearTimeout(timer);
      inFlight.delete(abort);
    }
  }

  return {
    async post(body, ids) {
      let sent: ReadonlySet<string> | undefined;
      const wasSent = (id: string) => {
        sent ??= ids();
        return sent.has(id);
      };
      return verdictOf(await answerTo(body), wasSent, Date.now());
    },
    close() {
      for (const abort of inFlight) abort.abort();
      agent.destroy();
    },
  };
}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
  }
  return text;
}
