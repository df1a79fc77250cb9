// Problem documents (RFC 9457): every error that an HTTP caller can see, with its stable code and status.

/** All problems. The code is part of the interface: add, do not rename. */
export const problems = {
  'invalid-request': { status: 400, title: 'A field of the request is not valid' },
  'invalid-json': { status: 400, title: 'The body is not JSON' },
  unauthorized: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'The token does not have the right to this' },
  'not-found': { status: 404, title: 'There is no such resource' },
  'method-not-allowed': { status: 405, title: 'The resource does not have this method' },
  'idempotency-conflict': {
    status: 409,
    title: 'The Idempotency-Key has been used with another request',
  },
  'route-unknown': { status: 409, title: 'The bridge does not have this route' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': {
    status: 415,
    title: 'The body has a media type that is not accepted here',
  },
  'handler-refused': { status: 422, title: 'The handler refused the message again' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something failed that should not have' },
  'broker-refused': { status: 502, title: 'The broker refused the command' },
  'reply-too-large': { status: 502, title: 'The device answered with more than can be kept' },
  'database-unavailable': { status: 503, title: 'The database did not answer' },
  'issuer-unavailable': { status: 503, title: 'The issuer of the token could not be reached' },
  'bridge-unavailable': { status: 503, title: 'The bridge could not be reached' },
  'handler-unavailable': { status: 503, title: 'The handler did not take the message now' },
  'command-expired': { status: 504, title: 'The command expired before it could be sent' },
} as const;

export type ProblemCode = keyof typeof problems;

/** One field that is wrong: where it stands (`payload`, `userProperties.0.1`) and the rule that it breaks. */
export interface FieldFault {
  readonly field: string;
  readonly rule: string;
}

export interface Problem {
  readonly type: string;
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly errors?: readonly FieldFault[];
}

/** A problem as a value. `type` is a URN, so that it needs no host and stays the same everywhere. */
export function problem(
  code: ProblemCode,
  detail?: string,
  errors?: readonly FieldFault[],
): Problem {
  return {
    type: `urn:causeway:problem:${code}`,
    code,
    ...problems[code],
    ...(detail !== undefined && { detail }),
    ...(errors !== undefined && { errors }),
  };
}

export function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(problems, code);
}

/** The problem as an HTTP response. */
export function problemResponse(value: Problem, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status: value.status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  });
}
