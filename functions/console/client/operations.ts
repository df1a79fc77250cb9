// The operations of the api as types: which paths there are, what each takes and what it answers.
import type * as z from 'zod';
import type { ServedOperation } from '../../api/operations.ts';

type Method = ServedOperation['method'];

/** The paths that have this method. */
export type PathOf<M extends Method> = Extract<ServedOperation, { method: M }>['path'];

/** The operation at a path. */
export type OperationAt<M extends Method, P> = Extract<ServedOperation, { method: M; path: P }>;

type InputOf<S> = S extends z.ZodType ? z.input<S> : never;

/** What the operation takes, each part only where there is one. */
export type CallOf<O> = (O extends { readonly params: infer S }
  ? { readonly params: InputOf<S> }
  : unknown) &
  (O extends { readonly query: infer S }
    ? unknown extends InputOf<S>
      ? unknown
      : Partial<Record<never, never>> extends InputOf<S>
        ? { readonly query?: InputOf<S> }
        : { readonly query: InputOf<S> }
    : unknown) &
  (O extends { readonly body: { readonly schema: infer S } }
    ? { readonly body: InputOf<S> }
    : unknown);

type ContentOf<A> = A extends {
  readonly content: { readonly 'application/json': infer S extends z.ZodType };
}
  ? z.output<S>
  : undefined;

/** What it answers where it succeeds; undefined where that has no body. */
export type AnswerOf<O> = O extends { readonly answers: infer A } ? ContentOf<A[keyof A]> : never;

/** The answer of `GET` at a path. */
export type Got<P extends PathOf<'get'>> = AnswerOf<OperationAt<'get', P>>;

export type Route = Got<'/v1/routes'>['routes'][number];
export type Message = Got<'/v1/messages'>['messages'][number];
export type Topic = Got<'/v1/topics'>['topics'][number];
export type DeadLetter = Got<'/v1/dead-letters'>['deadLetters'][number];
export type DeadLetterCounts = Got<'/v1/dead-letters/summary'>;
export type Command = Got<'/v1/commands'>['commands'][number];
export type CommandWithHistory = Got<'/v1/commands/{id}'>;
export type Client = Got<'/v1/presence'>['clients'][number];
export type Replay = Got<'/v1/replays/{id}'>;
export type MessageTrace = Got<'/v1/messages/trace'>;
export type Me = Got<'/v1/me'>;
export type Token = Got<'/v1/tokens'>['tokens'][number];
export type RouteTest = AnswerOf<OperationAt<'post', '/v1/routes/{name}/test'>>;
export type Preview = AnswerOf<OperationAt<'post', '/v1/routes/{name}/preview'>>;
