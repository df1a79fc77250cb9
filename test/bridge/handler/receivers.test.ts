// The expressions of the handlers' guide, run as they stand there.
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { createEvaluator } from '../../../functions/expression/evaluator.ts';
import type { Expressions } from '../../../functions/expression/thread.ts';
import { message } from '../../support/messages.ts';

const guide = readFileSync('bridge/docs/webhooks.md', 'utf8');
const section = guide.slice(guide.indexOf('## Filter and transform'));

const shown = JSON.parse(/```json\n(.*?)```/s.exec(section)?.[1] ?? '');
const one = message({
  topic: shown.topic,
  text: JSON.stringify(shown.payload),
  time: shown.time,
  id: shown.id,
  source: shown.source,
  properties: { contentType: shown.contentType, userProperties: [['unit', 'C']] },
});

const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

async function outcomeOf(expressions: Expressions) {
  const evaluator = createEvaluator(expressions);
  closing.push(evaluator.close);
  const [outcome] = await evaluator.evaluate([one], 1024 * 1024);
  if (outcome?.kind === 'failed') throw new Error(outcome.reason);
  return outcome;
}

async function bodyOf(transform: string): Promise<string | undefined> {
  const outcome = await outcomeOf({ transform });
  return outcome?.kind === 'passed' ? Buffer.from(outcome.message.payload).toString() : undefined;
}

test('what an expression sees is what the guide shows', async () => {
  expect(JSON.parse((await bodyOf('$')) ?? '')).toEqual(shown);
});

const receivers = [...section.matchAll(/```jsonata\n(.*?)```\n\n```(json|text)\n(.*?)```/gs)];

test('there are some', () => {
  expect(receivers.length).toBeGreaterThanOrEqual(5);
});

test.each(receivers.map(([, expression, kind, body]) => [expression ?? '', kind, body ?? '']))(
  '%s',
  async (expression, kind, body) => {
    const given = await bodyOf(expression);
    if (kind === 'text') expect(given).toBe(body.trimEnd());
    else expect(JSON.parse(given ?? '')).toEqual(JSON.parse(body));
  },
);

const filters = [...section.matchAll(/^\| [^|]+ \| `([^`]{6,})` \|$/gm)].map(
  ([, where]) => where ?? '',
);

test.each(filters)('where %s', async (where) => {
  const isTrue = !/alarm|error/.test(where);
  expect((await outcomeOf({ where }))?.kind).toBe(isTrue ? 'passed' : 'dropped');
});
