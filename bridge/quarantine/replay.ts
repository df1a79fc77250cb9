// A dead letter once more to its handler: by itself, in the same bytes, when somebody asks for it.
import { decodeKeptEnvelope } from '../../functions/contract/envelope.ts';
import type { Message } from '../../functions/contract/message.ts';
import { type Problem, problem } from '../../functions/contract/problem.ts';
import type { RouteConfig } from '../config.ts';
import type { Verdict } from '../handler/verdict.ts';

/** A dead letter as it is kept. */
export interface KeptLetter {
  readonly route: string;
  /** Its message as an envelope. */
  readonly envelope: string;
  /** Counts one more try of the handler. */
  countAttempt(): Promise<void>;
  /** Takes it out of the quarantine. */
  remove(): Promise<void>;
}

/** The quarantine as a replay sees it. `id` is that of `deadLetterId`. */
export type FindLetter = (id: string) => Promise<KeptLetter | undefined>;

/** The handler of one route, for what is sent to it once more. */
export interface ReplayRoute {
  readonly config: Pick<RouteConfig, 'name' | 'maxBatch' | 'maxBatchBytes'>;
  /** Sends messages in one request, in the format of the route, whatever the route itself is doing. */
  send(messages: readonly Message[]): Promise<Verdict>;
  /** Messages that the route itself has delivered since it started: they speak for its handler. */
  deliveredMessages(): number;
}

/** Why a dead letter still is one. */
export interface LetterFault {
  readonly problem: Problem;
  /** It may be the letter's own fault: others may fare better. */
  readonly suspicious: boolean;
}

/** Undefined: the handler took it, and it is no dead letter any more. */
export type Replay = (id: string) => Promise<LetterFault | undefined>;

/** Most replays at once; each holds a message. */
const maxReplays = 32;

export function createReplay(find: FindLetter, routes: readonly ReplayRoute[]): Replay {
  /** The same one twice at a time is one replay: its handler is asked once. */
  const running = new Map<string, Promise<LetterFault | undefined>>();

  async function replay(id: string): Promise<LetterFault | undefined> {
    const letter = await find(id);
    if (letter === undefined) return faultOf(problem('not-found'));
    const route = routes.find(({ config }) => config.name === letter.route);
    if (route === undefined) return faultOf(problem('route-unknown', `route ${letter.route}`));
    const message = decodeKeptEnvelope(letter.envelope);
    const fault = faultIn(await route.send([message]), message.id);
    if (fault === undefined) await letter.remove();
    else if (fault.problem.code === 'handler-refused') await letter.countAttempt();
    return fault;
  }

  return (id) => {
    const same = running.get(id);
    if (same !== undefined) return same;
    if (running.size >= maxReplays)
      return Promise.resolve(faultOf(problem('handler-unavailable', 'too many replays at once')));
    const next = replay(id).finally(() => running.delete(id));
    running.set(id, next);
    return next;
  };
}

function faultIn(verdict: Verdict, messageId: string): LetterFault | undefined {
  if (verdict.kind === 'gone') return faultOf(problem('handler-unavailable', verdict.reason));
  if (verdict.kind === 'hold')
    return faultOf(problem('handler-unavailable', verdict.reason), verdict.suspicious);
  if (verdict.kind === 'rejected') return faultOf(problem('handler-refused', verdict.reason));
  const failure = verdict.failures.get(messageId);
  if (failure === undefined) return undefined;
  const code = failure.retryable === false ? 'handler-refused' : 'handler-unavailable';
  return faultOf(problem(code, failure.reason ?? 'no reason given'), true);
}

function faultOf(what: Problem, suspicious = false): LetterFault {
  return { problem: what, suspicious };
}
