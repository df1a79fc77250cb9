// A handler without HTTP, for tests of what becomes of its verdicts.
import type { Attempt, Sink } from '../../bridge/handler/sink.ts';
import type { Verdict } from '../../bridge/handler/verdict.ts';
import type { Message } from '../../functions/contract/message.ts';

export interface SeenCall {
  readonly messages: readonly Message[];
  readonly verdict: Verdict;
}

/** What the handler says to some messages; a promise for one that takes its time. */
export type Script = (messages: readonly Message[]) => Verdict | Promise<Verdict>;

export const taken: Verdict = { kind: 'answered', failures: new Map(), duplicates: 0 };
export const down = {
  kind: 'hold',
  reason: 'the handler answered 500',
  overloaded: true,
  broken: false,
  suspicious: true,
} as const satisfies Verdict;

export class ScriptedSink implements Sink {
  /** All calls that have ended, in that order. */
  readonly calls: SeenCall[] = [];
  started = 0;
  script: Script;

  constructor(script: Script = () => taken) {
    this.script = script;
  }

  /** Messages that were taken, in order. */
  get stored(): readonly Message[] {
    return this.calls.flatMap(({ messages, verdict }) =>
      verdict.kind === 'answered' ? messages.filter(({ id }) => !verdict.failures.has(id)) : [],
    );
  }

  request(messages: readonly Message[]) {
    const request = {
      method: 'POST',
      url: new URL('http://handler/'),
      headers: {},
      body: Buffer.alloc(0),
      messages,
    } as const;
    return { kind: 'request', request } as const;
  }

  async post(request: object): Promise<Attempt> {
    const { messages } = request as { messages: readonly Message[] };
    this.started++;
    const verdict = await this.script(messages);
    this.calls.push({ messages, verdict });
    return { verdict, status: undefined };
  }

  close() {}
}
