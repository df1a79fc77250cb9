// The thread of thread.ts: compiles the expressions once, and then evaluates job after job, message after message. Plain
// JavaScript, as not every loader of TypeScript reaches into threads.
import { parentPort, workerData } from 'node:worker_threads';
import { boundThread, compile } from './bounds.mjs';
import { documentOf } from './document.mjs';

const { expressions, limits, progress } = workerData;
const { maxPayloadDepth, maxJobBytes } = limits;
const utf8 = new TextEncoder();

try {
  const bounded = boundThread(limits);
  const compiled = {};
  for (const [field, text] of Object.entries(expressions))
    compiled[field] = await compile(text, limits, bounded);
  parentPort.on('message', (job) => run(job, compiled));
  parentPort.postMessage({ kind: 'ready' });
} catch (error) {
  parentPort.postMessage({ kind: 'refused', reason: reasonOf(error) });
}

/** Answers with the outcomes of the first messages: of all, or up to the one whose result is more than a job may have. */
async function run({ inputs, payloads, ends, maxResultBytes }, { where, transform }) {
  const outcomes = [];
  let start = 0;
  let resultBytes = 0;
  for (const [index, input] of inputs.entries()) {
    Atomics.store(progress, 0, index);
    const outcome = await outcomeOf(input, payloads.subarray(start, ends[index]));
    start = ends[index];
    outcomes.push(outcome);
    resultBytes += outcome.body?.length ?? 0;
    if (resultBytes > maxJobBytes) break;
  }
  parentPort.postMessage({ kind: 'done', outcomes });

  async function outcomeOf(input, payload) {
    try {
      const document = documentOf(input, payload, maxPayloadDepth);
      if (where !== undefined && (await resultOf(where, document)) !== true)
        return { kind: 'dropped' };
      if (transform === undefined) return { kind: 'passed' };
      return bodyOf(await resultOf(transform, document), maxResultBytes);
    } catch (error) {
      return { kind: 'failed', reason: reasonOf(error) };
    }
  }
}

/** A time that is over may have been another thread's: so there is a second one. */
async function resultOf(expression, document) {
  for (let isRepeated = false; ; isRepeated = true) {
    Atomics.add(progress, 1, 1);
    try {
      return await expression.evaluate(document);
    } catch (error) {
      if (error?.code !== 'D1012' || isRepeated) throw error;
    }
  }
}

/** Text is the body as it is; any other value is, as JSON. */
function bodyOf(value, maxResultBytes) {
  if (typeof value?.implementation === 'function')
    return { kind: 'failed', reason: 'the result is a function' };
  const isText = typeof value === 'string';
  const text = isText ? value : JSON.stringify(value);
  if (text === undefined) return { kind: 'failed', reason: 'the result is nothing' };
  const body = utf8.encode(text);
  return body.length > maxResultBytes
    ? {
        kind: 'failed',
        reason: `the result has ${body.length} bytes, and may have ${maxResultBytes}`,
      }
    : { kind: 'passed', body, isText };
}

/** Of errors of JSONata, which are no Error, and of our own. What a device said may be repeated in it. */
function reasonOf(error) {
  const message = String(error?.message ?? error).slice(0, 200);
  const { position } = error ?? {};
  return typeof position === 'number' ? `${message}, in column ${position}` : message;
}
