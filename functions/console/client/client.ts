// Calls of the api: a typed request, and its answer or what went wrong, as a value.
import type { Problem, ProblemCode } from '../../contract/problem.ts';
import { parseAnswer } from './json-answer.ts';
import type { AnswerOf, CallOf, OperationAt, PathOf } from './operations.ts';

/** Why a call has no answer: a problem of the api, or none came. */
export interface Failure extends Omit<Problem, 'code' | 'type'> {
  /** `unreachable`: no answer; `unreadable`: one that is not the api's; `sign-in-failed`: at the issuer. */
  readonly code: ProblemCode | 'unreachable' | 'unreadable' | 'sign-in-failed';
  /** How long the api asks callers to wait, in seconds. */
  readonly retryAfterSeconds?: number;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly text: string }
  | { readonly ok: false; readonly failure: Failure };

/** Longest wait for an answer: a call that waits for a device takes up to 25 s. */
const timeoutMs = 40_000;

export interface ClientOptions {
  readonly token: () => string | undefined;
  /** Told of each call's outcome, before its caller is. */
  readonly onOutcome: (failure: Failure | undefined) => void;
}

interface Given {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** The body as JSON text, where parsing it would lose digits or white space. */
  readonly bodyText?: string;
  readonly signal?: AbortSignal | undefined;
  /** Media type of the answer; JSON by default. */
  readonly accept?: string;
}

type Arguments<C> =
  Partial<Record<never, never>> extends C
    ? [call?: C & Pick<Given, 'signal' | 'bodyText'>]
    : [call: C & Pick<Given, 'signal' | 'bodyText'>];

/** Part of a text that may go on in another answer. */
export interface Text {
  readonly text: string;
  /** Address of what follows; undefined at the end. */
  readonly next: string | undefined;
}

export interface Client {
  get<P extends PathOf<'get'>>(
    path: P,
    ...call: Arguments<CallOf<OperationAt<'get', P>>>
  ): Promise<Result<AnswerOf<OperationAt<'get', P>>>>;
  post<P extends PathOf<'post'>>(
    path: P,
    ...call: Arguments<CallOf<OperationAt<'post', P>>>
  ): Promise<Result<AnswerOf<OperationAt<'post', P>>>>;
  /** An answer that is no JSON, in the media type `accept`. `url` has its query. */
  text(url: string, accept: string, signal?: AbortSignal): Promise<Result<Text>>;
  delete<P extends PathOf<'delete'>>(
    path: P,
    ...call: Arguments<CallOf<OperationAt<'delete', P>>>
  ): Promise<Result<AnswerOf<OperationAt<'delete', P>>>>;
}

export function createClient({ token, onOutcome }: ClientOptions): Client {
  async function ask(method: string, url: string, given: Given): Promise<Result<never>> {
    const result = await send(method, url, given, token());
    if (given.signal?.aborted !== true) onOutcome(result.ok ? undefined : result.failure);
    return result as Result<never>;
  }
  const call = (method: string, path: string, given: Given = {}) =>
    ask(method, urlOf(path, given), given);
  return {
    get: (path, ...[given]) => call('GET', path, given as Given),
    post: (path, ...[given]) => call('POST', path, given as Given),
    text: (url, accept, signal) => ask('GET', url, { accept, signal }),
    delete: (path, ...[given]) => call('DELETE', path, given as Given),
  };
}

/** The path with its parameters, and the query behind it. */
export function urlOf(path: string, { params = {}, query = {} }: Given): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  );
  const entries = Object.entries(query).filter((entry) => entry[1] !== undefined);
  const text = new URLSearchParams(entries as [string, string][]).toString();
  return text === '' ? filled : `${filled}?${text}`;
}

async function send(
  method: string,
  url: string,
  { body, bodyText = JSON.stringify(body), signal, accept = json }: Given,
  token: string | undefined,
): Promise<Result<unknown>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      headers: {
        accept,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': json }),
      },
      ...(body !== undefined && { body: bodyText }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      credentials: 'omit',
      redirect: 'error',
    });
    const text = await response.text();
    if (response.ok && accept !== json)
      return { ok: true, value: { text, next: nextOf(response) } satisfies Text, text };
    if (response.ok) return { ok: true, value: text === '' ? undefined : parseAnswer(text), text };
    return { ok: false, failure: failureOf(response, text) };
  } catch (error) {
    if (error instanceof SyntaxError) return unreadable(200);
    const title = timeout.aborted
      ? `No answer within ${timeoutMs / 1000} s`
      : 'The server could not be reached';
    return { ok: false, failure: { code: 'unreachable', status: 0, title } };
  }
}

const json = 'application/json';

/** The address that `Link` names as the next one (RFC 8288). */
const nextOf = ({ headers }: Response) =>
  /<([^>]*)>;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];

function failureOf(response: Response, text: string): Failure {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  try {
    const problem = JSON.parse(text) as Partial<Problem>;
    if (typeof problem.code === 'string')
      return {
        ...(problem as Problem),
        ...(retryAfter >= 0 && { retryAfterSeconds: retryAfter }),
      };
  } catch {
    // Not the api's: a proxy's page, or a server that is still starting.
  }
  return unreadable(response.status).failure;
}

function unreadable(status: number) {
  const title = `The server answered ${status}, and not as the api does`;
  return { ok: false, failure: { code: 'unreadable', status, title } } as const;
}
