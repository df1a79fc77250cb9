// The api's side of the private way to the bridge: hands over a command and takes its answer.
import { type Command, type CommandSent, commandSentSchema } from '../contract/command.ts';
import { parseWith } from '../contract/parse.ts';
import { isProblemCode, type Problem, problem } from '../contract/problem.ts';

export interface BridgeOptions {
  /** Base URL of the bridge, such as `http://bridge.causeway.internal:9100`. */
  readonly url: string;
  /** Secret that the bridge asks for. */
  readonly token: string;
  /** Time for the bridge's answer, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
}

export type DeliverResult =
  | { readonly ok: true; readonly sent: CommandSent }
  | { readonly ok: false; readonly problem: Problem };

/** Hands a command to the bridge; resolves when the broker has acknowledged it or it is known why not. */
export type Deliver = (command: Command) => Promise<DeliverResult>;

export function createDeliver({ url, token, timeoutMs = 15_000 }: BridgeOptions): Deliver {
  const endpoint = new URL('/deliver', url);
  return async (command) => {
    let answer: unknown;
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(command),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      answer = await response.json();
    } catch (error) {
      // After a timeout the bridge may have the command all the same: the caller must be told so.
      const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
      return { ok: false, problem: problem(timedOut ? 'puback-timeout' : 'bridge-unavailable') };
    }
    const sent = parseWith(commandSentSchema, answer);
    return sent.ok ? { ok: true, sent: sent.value } : { ok: false, problem: problemOf(answer) };
  };
}

/** The bridge's problem as the caller may see it: broker problems pass, anything else is our own failure. */
function problemOf(answer: unknown): Problem {
  const { code, detail } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<
    string,
    unknown
  >;
  const passes =
    code === 'broker-refused' || code === 'broker-unavailable' || code === 'puback-timeout';
  if (!isProblemCode(code) || !passes)
    return problem('bridge-unavailable', 'the bridge gave no usable answer');
  return problem(code, typeof detail === 'string' ? detail : undefined);
}
