// A forwarder over a handler that does as its script says, with messages of which some are poison to it.
import { pino } from 'pino';
import { expect } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { hasExpressions } from '../../../bridge/config/memory.ts';
import { Forwarder } from '../../../bridge/forwarding/forwarder.ts';
import { Traces } from '../../../bridge/forwarding/traces.ts';
import type { Sink } from '../../../bridge/handler/sink.ts';
import { createMetrics } from '../../../bridge/metrics/metrics.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { createEvaluator } from '../../../functions/expression/evaluator.ts';
import type { DeadLetter } from '../../../functions/table/dead-letter.ts';
import { openGate } from '../../support/gates.ts';
import { idleGauges } from '../../support/gauges.ts';
import { ampleMemory } from '../../support/memory.ts';
import { message } from '../../support/messages.ts';
import { type Script, ScriptedSink } from '../../support/scripted-sink.ts';

/** `failingMessage.tries` of its route. */
export const tries = 4;

/** `realSink` stands in the place of the script's. */
export function start(script: Script, route: Record<string, unknown> = {}, realSink?: Sink) {
  const config = parseConfig({
    broker: { url: 'mqtt://127.0.0.1' },
    routes: [
      {
        name: 'store',
        filter: '#',
        url: 'https://handler.example/',
        lingerMs: 0,
        retry: { baseMs: 1, capMs: 3 },
        failingMessage: { tries, afterSeconds: 0 },
        ...route,
      },
    ],
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const [routeConfig] = config.value.routes;
  if (routeConfig === undefined) throw new Error('no route');
  const sink = new ScriptedSink(script);
  const letters: DeadLetter[] = [];
  const settled: string[] = [];
  const gate = openGate();
  const evaluator = hasExpressions(routeConfig) ? createEvaluator(routeConfig) : undefined;
  const traces = new Traces('store', undefined);
  const metrics = createMetrics().route('store', () => idleGauges);
  const forwarder = new Forwarder({
    traces,
    evaluator,
    config: routeConfig,
    sink: realSink ?? sink,
    memory: ampleMemory(),
    gate,
    deadLetters: {
      put: async (letter) => {
        letters.push(letter);
        return undefined;
      },
      count: async () => 0,
    },
    metrics,
    log: pino({ level: 'silent' }),
    isStalled: () => false,
    unacknowledged: () => 0,
  });
  const stop = async () => {
    await forwarder.drain(AbortSignal.abort());
    await evaluator?.close();
  };
  const add = (messages: readonly Message[]) => {
    for (const one of messages)
      forwarder.add({
        message: one,
        arrivedMs: performance.now(),
        bytes: 1,
        settle: () => settled.push(one.id),
      });
  };
  const { counters } = metrics;
  return { forwarder, sink, gate, letters, settled, traces, counters, add, stop };
}

export const isPoison = ({ payload }: Message) => Buffer.from(payload).toString() === 'poison';

/** Messages over some topics, in turns; those at `poisonAt` are poison. */
export const many = (count: number, topics: number, poisonAt: readonly number[] = []) =>
  Array.from({ length: count }, (_, index) =>
    message({ topic: `t/${index % topics}`, text: poisonAt.includes(index) ? 'poison' : 'fine' }),
  );

/** The order of each topic, of messages that were taken. */
export function expectOrder(given: readonly Message[], sink: ScriptedSink) {
  const position = new Map(given.map(({ id }, index) => [id, index]));
  const last = new Map<string, number>();
  for (const { id, topic } of sink.stored) {
    const here = position.get(id);
    if (here === undefined) continue;
    expect(here).toBeGreaterThan(last.get(topic) ?? -1);
    last.set(topic, here);
  }
}
