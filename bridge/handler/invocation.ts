// A Lambda function that is invoked without HTTP: what its answer, or Lambda's, stands for. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import { httpAnswer } from '../../functions/contract/invocation.ts';
import { jsonOrUndefined, parseWith } from '../../functions/contract/parse.ts';
import type { Answer } from './verdict.ts';

/** Errors of Lambda that are about what was sent (Lambda API Reference, "Invoke", "Errors"); all others are about who calls whom. */
const aboutTheEvent: ReadonlySet<string> = new Set([
  'RequestTooLargeException',
  'InvalidRequestContentException',
]);

/** Whether the function threw, ran out of time or memory, or did not start: the status is 200 all the same. */
export function hasFailed(headers: IncomingHttpHeaders): boolean {
  return headers['x-amz-function-error'] !== undefined;
}

/** The answer to an invocation. `body` is whole where the function returned something. */
export function invocationAnswer(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
): Answer {
  if (status >= 200 && status < 300)
    return hasFailed(headers)
      ? { kind: 'failed', reason: `the function failed: ${errorOf(body)}`, own: true }
      : returned(body);
  // `<type>:<namespace>`, as all services with JSON have it.
  const [type = ''] = String(headers['x-amzn-errortype'] ?? '').split(':');
  const retryAfter = headers['retry-after'];
  if (aboutTheEvent.has(type)) return { kind: 'response', status, body };
  if (status === 429 || type === 'ThrottlingException')
    return { kind: 'response', status: 429, body, ...(retryAfter !== undefined && { retryAfter }) };
  const reason = `Lambda answered ${status}${type === '' ? '' : ` ${type}`}`;
  // 409: a function that is created or updated, or was idle for weeks and gets its network interfaces again.
  return { kind: 'failed', reason, broken: status < 500 && status !== 409 };
}

function returned(body: string): Answer {
  const answer = parseWith(httpAnswer, jsonOrUndefined(body));
  if (!answer.ok) return { kind: 'response', status: 200, body };
  const { statusCode: status, headers = {}, body: text = '', isBase64Encoded } = answer.value;
  const retryAfter = Object.entries(headers).find(([name]) => /^retry-after$/i.test(name))?.[1];
  return {
    kind: 'response',
    status,
    body: isBase64Encoded ? Buffer.from(text, 'base64').toString('utf8') : text,
    ...(retryAfter !== undefined && { retryAfter: String(retryAfter) }),
  };
}

/** `{"errorType": …, "errorMessage": …}`, without its stack. */
function errorOf(body: string): string {
  const error = jsonOrUndefined(body);
  if (typeof error !== 'object' || error === null) return 'no reason given';
  const { errorType, errorMessage } = error as Readonly<Record<string, unknown>>;
  const parts = [errorType, errorMessage].filter((part) => typeof part === 'string');
  return parts.length === 0 ? 'no reason given' : parts.join(': ');
}
