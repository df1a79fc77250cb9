// A dead letter once more to its handler: by itself, in the same bytes, when somebody asks for it.
import { decodeKeptEnvelope } from '../../functions/contract/envelope-decoding.ts';
import type { Message } from '../../functions/contract/message.ts';
import { type Problem, problem } from '../../functions/contract/problem.ts';
import type { RouteConfig } from '../config/config.ts';
import { tooLarge } from '../handler/message-formats.ts';
import type { Verdict } from '../handler/verdict.ts';

/** A dead letter as it is kept. */
export interface KeptDeadLetter {
  readonly route: string;
  /** Of its payload. */
  readonly bytes: number;
  /** Reads its message, as an envelope. */
  envelope(): Promise<string>;
  /** Counts one more try of the handler. */
  countAttempt(): Promise<void>;
  /** Takes it out of dead letters. */
  remove(): Promise<void>;
}

/** The dead letters as a replay sees it. `id` is that of `deadLetterId`. */
export type FindDeadLetter = (id: string) => Promise<KeptDeadLetter | undefined>;

/** What a handler said to what it was sent once more: a 410 is about these messages, and rejects them. */
export type ReplayVerdict = Exclude<Verdict, { kind: 'gone' }>;

/** The handler of one route, for what is sent to it once more. */
export interface ReplayRoute {
  readonly config: Pick<RouteConfig, 'name' | 'maxBatch' | 'maxBatchBytes'>;
  /** Sends messages in one request, in the format of the route, whatever the route itself is doing. */
  send(messages: readonly Message[]): Promise<ReplayVerdict>;
  /** Messages that the route itself has delivered since it started: they speak for its handler. */
  deliveredMessages(): number;
}

/** Why a dead letter still is one. */
export interface DeadLetterFault {
  readonly problem: Problem;
  /** It may be the letter's own fault: others may fare better. */
  readonly suspicious: boolean;
}

/** Undefined: the handler took it, and it is no dead letter any more. */
export type Replay = (id: string) => Promise<DeadLetterFault | undefined>;

/** Maximum replays at once, and maximum bytes of the payloads that they hold; one alone may have as many as a request carries. */
const maxReplays = 32;
const maxReplayedBytes = 4 * 1024 * 1024;

export function createReplay(find: FindDeadLetter, routes: readonly ReplayRoute[]): Replay {
  /** The same one twice at a time is one replay: its handler is asked once. */
  const running = new Map<string, Promise<DeadLetterFault | undefined>>();

  let heldBytes = 0;

  async function replay(id: string): Promise<DeadLetterFault | undefined> {
    const letter = await find(id);
    if (letter === undefined) return faultOf(problem('not-found'));
    const route = routes.find(({ config }) => config.name === letter.route);
    if (route === undefined) return faultOf(problem('route-unknown', `route ${letter.route}`));
    const { bytes } = letter;
    const { maxBatchBytes } = route.config;
    // Not even read: it may be larger than memory.
    if (bytes > maxBatchBytes)
      return faultOf(problem('handler-refused', tooLarge(bytes, maxBatchBytes)));
    if (heldBytes > 0 && heldBytes + bytes > maxReplayedBytes) return tooManyAtOnce();
    heldBytes += bytes;
    const fault = await sendOnce(letter, route).finally(() => {
      heldBytes -= bytes;
    });
    if (fault === undefined) await letter.remove();
    else if (fault.problem.code === 'handler-refused') await letter.countAttempt();
    return fault;
  }

  async function sendOnce(letter: KeptDeadLetter, route: ReplayRoute) {
    const message = decodeKeptEnvelope(await letter.envelope());
    return faultIn(await route.send([message]), message.id);
  }

  return (id) => {
    const same = running.get(id);
    if (same !== undefined) return same;
    if (running.size >= maxReplays) return Promise.resolve(tooManyAtOnce());
    const next = replay(id).finally(() => running.delete(id));
    running.set(id, next);
    return next;
  };
}

function tooManyAtOnce(): DeadLetterFault {
  return faultOf(problem('handler-unavailable', 'too many replays at once'));
}

function faultIn(verdict: ReplayVerdict, messageId: string): DeadLetterFault | undefined {
  if (verdict.kind === 'hold')
    return faultOf(problem('handler-unavailable', verdict.reason), verdict.suspicious);
  if (verdict.kind === 'rejected') return faultOf(problem('handler-refused', verdict.reason));
  const failure = verdict.failures.get(messageId);
  if (failure === undefined) return undefined;
  const code = failure.retryable === false ? 'handler-refused' : 'handler-unavailable';
  return faultOf(problem(code, failure.reason ?? 'no reason given'), true);
}

function faultOf(what: Problem, suspicious = false): DeadLetterFault {
  return { problem: what, suspicious };
}
