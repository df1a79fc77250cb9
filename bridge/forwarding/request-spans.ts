// What the forwarder tells of requests and messages to who makes spans of them. Nobody does where no traces are collected.
import type { Message } from '../../functions/contract/message.ts';
import type { HandlerRequest } from '../handler/request.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { TargetVerdict } from './targets.ts';

/** What became of a request. */
export interface RequestOutcome {
  /** Of the answer; undefined where there was none. */
  readonly status: number | undefined;
  readonly verdict: Verdict | TargetVerdict;
}

export interface RequestSpan {
  /** The request as it is to be sent: with the trace context of its own span. */
  readonly request: HandlerRequest;
  end(outcome: RequestOutcome): void;
}

export interface RequestSpans {
  /** A request with these messages is about to leave. */
  begin(messages: readonly Message[], request: HandlerRequest): RequestSpan;
  /** A request with messages that are sent again, in a replay or from the dead letters, is about to leave. */
  beginAgain(messages: readonly Message[], request: HandlerRequest): RequestSpan;
  /** The message has come to its end without the handler having taken it. */
  ended(message: Message, state: 'filtered' | 'quarantined' | 'refused'): void;
}
