// A handler's answer on the wire: as much of it as the verdict needs, whatever the handler sends.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { receiptMark, speaksOfFailures } from '../../functions/contract/receipt.ts';

/** Maximum bytes of an answer's headers. */
export const maxAnswerHeaderBytes = 16 * 1024;
/** Interim answers (100, 103 …) before the real one; some servers send one. */
const maxInterimAnswers = 8;
/** Of an answer that is no receipt, so much is read: for its reason, and so that the connection can be used again. */
const maxUnneededBytes = 16 * 1024;
const maxReasonCharacters = 1000;
/** An answer larger than this is not searched for a receipt. Four echoes of a batch of the default size fit into it. */
const maxSearchedBytes = 16 * 1024 * 1024;
/** Time for the rest of an answer that nobody needs. */
const discardMs = 1000;

/** Resolves with the head of the answer to a request that has been started; rejects where there is none. */
export function headOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let interim = 0;
    outgoing.on('information', () => {
      if (++interim > maxInterimAnswers)
        outgoing.destroy(new Error(`more than ${maxInterimAnswers} interim answers`));
    });
    let isAnswered = false;
    outgoing.on('response', (response) => {
      isAnswered = true;
      resolve(response);
    });
    outgoing.on('error', reject);
    // It closes after each answer too, and making an error takes 15 µs.
    outgoing.on('close', () => {
      if (!isAnswered) reject(new Error('the connection ended without an answer'));
    });
  });
}

/**
 * Resolves when the whole request has left. Before that, no answer can say that the handler has it: some answer and do
 * not read on.
 */
export function untilSent(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    if (outgoing.writableFinished) return resolve();
    outgoing.on('finish', resolve);
    outgoing.on('error', reject);
    outgoing.on('close', () => reject(new Error('the handler did not take the whole request')));
  });
}

/** The whole body as text. Rejects where it ends too early or is larger than `maxBytes`. */
export async function wholeText(response: IncomingMessage, maxBytes: number): Promise<string> {
  let text = '';
  let bytes = 0;
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    bytes += Buffer.byteLength(chunk);
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
  }
  return text;
}

/**
 * A body of at most `maxBytes` that speaks of failures; empty where the whole of it does not: then it is no receipt, and
 * says nothing but what the status says. Rejects where a receipt may be in it that cannot be read.
 */
export async function receiptText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const isEncoded = encoding !== '' && encoding !== 'identity';
  const maxSearched = isEncoded ? maxBytes : maxSearchedBytes;
  const found = await searched(response, [receiptMark], maxBytes, maxSearched);
  const { kept, bytes, isMarked, tail } = found;
  if (isEncoded) {
    const decoded = await decode(Buffer.concat(kept), encoding, maxBytes);
    if (speaksOfFailures(decoded.toString('latin1')))
      throw new Error(`the receipt is compressed (${encoding}): send it as it is`);
    return '';
  }
  if (!isMarked && !speaksOfFailures(tail)) return '';
  if (bytes > maxBytes) throw new Error(`the receipt is larger than ${maxBytes} bytes`);
  return Buffer.concat(kept).toString('utf8');
}

/** Of a receipt, and of an HTTP answer as a function returns it. */
const returnedMarks = [receiptMark, '"statusCode"'];

/**
 * What an invoked function returned; empty where that is larger than `maxBytes` and neither a receipt nor an HTTP answer, such
 * as the event that it was given. Rejects where it may be one of them.
 */
export async function returnedText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const found = await searched(response, returnedMarks, maxBytes, maxSearchedBytes);
  const { kept, bytes, isMarked } = found;
  if (bytes <= maxBytes) return Buffer.concat(kept).toString('utf8');
  if (isMarked) throw new Error(`the function returned more than ${maxBytes} bytes`);
  return '';
}

/** Reads a body to its end, and looks for the marks in it; `kept` is all of one that is not larger than `maxKept`. */
async function searched(
  response: IncomingMessage,
  marks: readonly string[],
  maxKept: number,
  maxSearched: number,
) {
  const kept: Buffer[] = [];
  const maxMark = Math.max(...marks.map(({ length }) => length));
  let bytes = 0;
  let isMarked = false;
  let tail = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes <= maxKept) kept.push(chunk);
    else if (bytes > maxSearched) throw new Error(`the answer is larger than ${maxSearched} bytes`);
    const text = tail + chunk.toString('latin1');
    isMarked ||= marks.some((mark) => text.includes(mark));
    tail = text.slice(-maxMark);
  }
  return { kept, bytes, isMarked, tail };
}

const decoders = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

/** A proxy may send one, though none was asked for. */
async function decode(body: Buffer, encoding: string, maxOutputLength: number): Promise<Buffer> {
  if (body.byteLength === 0) return body;
  const decoder = decoders.get(encoding);
  if (decoder === undefined)
    throw new Error(`the answer is compressed (${encoding}), and may hold a receipt`);
  return decoder(body, { maxOutputLength }).catch(() => {
    throw new Error(`the answer is compressed (${encoding}), and cannot be read`);
  });
}

/** The beginning of a body that may say a reason: what can be had of it, however it ends. */
export async function reasonText(
  response: IncomingMessage,
  maxCharacters = maxReasonCharacters,
): Promise<string> {
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (text.length < maxCharacters) text += chunk.toString('latin1');
      bytes += chunk.byteLength;
      if (bytes > maxUnneededBytes) break;
    }
  } catch {
    // The status has said it already.
  }
  return Buffer.from(text, 'latin1').toString('utf8').slice(0, maxCharacters).toWellFormed();
}

/** Bytes of a body that are shown. */
const maxShownBytes = 1024;

/** Keeps the beginning of a body, for a reader that has to start at once. What it gives is there after that. */
export function beginningOf(response: IncomingMessage): () => Buffer {
  const kept: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer | string) => {
    if (bytes >= maxShownBytes) return;
    kept.push(Buffer.from(chunk));
    bytes += chunk.length;
  });
  return () => Buffer.concat(kept).subarray(0, maxShownBytes);
}

/** Gives up the body, and the connection with it unless the body is short. */
export function discard(response: IncomingMessage): void {
  // Mostly the body came together with the head.
  if (response.complete) return void response.resume();
  let bytes = 0;
  const timer = setTimeout(() => response.destroy(), discardMs);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > maxUnneededBytes) response.destroy();
  });
  response.on('error', () => {});
  response.on('close', () => clearTimeout(timer));
}
