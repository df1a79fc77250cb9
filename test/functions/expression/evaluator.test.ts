// What where and transform make of messages, in the real thread: its laws, and how a message that ends the thread is found.
import { afterEach, describe, expect, test } from 'vitest';
import type { Message } from '../../../functions/contract/message.ts';
import {
  createEvaluator,
  type Evaluator,
  type Outcome,
} from '../../../functions/expression/evaluator.ts';
import { expressionLimits } from '../../../functions/expression/limits.ts';
import type { Expressions, Job, JobEnd } from '../../../functions/expression/thread.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

const maxBytes = 4 * 1024 * 1024;
const open: Evaluator[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((evaluator) => evaluator.close()));
});

function evaluatorOf(expressions: Expressions): Evaluator {
  const evaluator = createEvaluator(expressions);
  open.push(evaluator);
  return evaluator;
}

async function outcomeOf(expressions: Expressions, one: Message): Promise<Outcome | undefined> {
  const [outcome] = await evaluatorOf(expressions).evaluate([one], maxBytes);
  return outcome;
}

function bodyOf(outcome: Outcome | undefined): string | undefined {
  return outcome?.kind === 'passed' ? Buffer.from(outcome.message.payload).toString() : undefined;
}

describe('laws', () => {
  test('where: true passes everything as it is, false nothing', async () => {
    const all = evaluatorOf({ where: 'true' });
    const none = evaluatorOf({ where: 'false' });
    await fc.assert(
      fc.asyncProperty(fc.array(anyMessage, { minLength: 1, maxLength: 20 }), async (messages) => {
        const passed = messages.map((one) => ({ kind: 'passed', message: one }));
        expect(await all.evaluate(messages, maxBytes)).toStrictEqual(passed);
        const dropped = messages.map(() => ({ kind: 'dropped' }));
        expect(await none.evaluate(messages, maxBytes)).toStrictEqual(dropped);
      }),
      { numRuns: 50 },
    );
  });

  test('transform of identity gives the value of JSON.parse of the payload', async () => {
    const identity = evaluatorOf({ transform: 'payload' });
    await fc.assert(
      fc.asyncProperty(fc.json({ depthSize: 'medium' }), async (text) => {
        const [outcome] = await identity.evaluate([message({ text })], maxBytes);
        const value: unknown = JSON.parse(text);
        const body = bodyOf(outcome) ?? 'nothing';
        // Text is a body as it is; a number below zero that is none is 0 in JSON.
        if (typeof value === 'string') expect(body).toBe(value);
        else expect(body).toBe(JSON.stringify(value));
      }),
      { numRuns: 200 },
    );
  });

  test('a payload that is no JSON is text, and one that is no UTF-8 is base64', async () => {
    expect(bodyOf(await outcomeOf({ transform: 'payload' }, message({ text: 'on {' })))).toBe(
      'on {',
    );
    const bytes = message({ payload: Buffer.from([0xff, 0x00]) });
    expect(bodyOf(await outcomeOf({ transform: 'payloadBase64' }, bytes))).toBe('/wA=');
    expect(await outcomeOf({ transform: 'payload' }, bytes)).toMatchObject({ kind: 'failed' });
  });
});

describe('what an expression sees', () => {
  const one = message({
    id: 'id-7',
    topic: 'rooms/kitchen/heat',
    time: '2026-11-28T10:00:00.000000Z',
    text: '{"celsius":21.5,"tags":["a","b"]}',
    retain: true,
    properties: {
      contentType: 'application/json',
      responseTopic: 'answers',
      correlationData: Buffer.from('42'),
      userProperties: [
        ['unit', 'C'],
        ['tag', 'x'],
        ['tag', 'y'],
        ['__proto__', 'z'],
      ],
    },
  });

  test.each([
    ['payload.celsius = 21.5'],
    ['levels[1] = "kitchen" and $count(levels) = 3'],
    ['topic = "rooms/kitchen/heat" and id = "id-7" and qos = 1 and retain'],
    ['$toMillis(time) = 1795860000000'],
    ['contentType = "application/json" and responseTopic = "answers"'],
    ['$base64decode(correlationDataBase64) = "42"'],
    ['userProperties.unit = "C" and userProperties.tag = ["x","y"]'],
    ['"b" in payload.tags and $not($exists(payload.missing))'],
  ])('%s', async (where) => {
    expect(await outcomeOf({ where }, one)).toMatchObject({ kind: 'passed' });
  });

  test.each([['payload.missing > 3'], ['"yes"'], ['1'], ['payload.tags'], ['nothing']])(
    'only true is true: %s drops it',
    async (where) => {
      expect(await outcomeOf({ where }, one)).toStrictEqual({ kind: 'dropped' });
    },
  );

  test('transform sees what where let pass, and its value is the body with its type', async () => {
    const expressions = {
      where: 'payload.celsius > 20',
      transform: '{"text": levels[1] & " " & payload.celsius}',
    };
    const outcome = await outcomeOf(expressions, one);
    expect(bodyOf(outcome)).toBe('{"text":"kitchen 21.5"}');
    expect(outcome).toMatchObject({
      message: { id: 'id-7', properties: { contentType: 'application/json', payloadFormat: 1 } },
    });
    expect(await outcomeOf({ transform: 'topic' }, one)).toMatchObject({
      message: { properties: { contentType: 'text/plain; charset=utf-8' } },
    });
  });

  test.each([
    ['an error of its own', { transform: '$error("no")' }],
    ['a comparison of text and number', { where: 'topic > 3' }],
    ['nothing', { transform: 'payload.missing' }],
    ['a function', { transform: '$sum' }],
    ['an unknown function', { where: '$nonsense(topic)' }],
    ['$eval', { where: '$eval("true")' }],
  ])('%s fails with a reason', async (_, expressions) => {
    const outcome = await outcomeOf(expressions, one);
    expect(outcome?.kind).toBe('failed');
    expect(outcome).toMatchObject({ reason: expect.stringMatching(/./) });
  });
});

describe('bounds', () => {
  test('a payload that is too large or too deep fails, and those around it do not', async () => {
    const { maxPayloadBytes, maxPayloadDepth } = expressionLimits;
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const messages = [
      message(),
      message({ payload: Buffer.alloc(maxPayloadBytes + 1, 0x20) }),
      message({ text: nested(maxPayloadDepth) }),
      message({ text: nested(maxPayloadDepth + 1) }),
      message({ text: JSON.stringify(nested(maxPayloadDepth * 2)) }),
      message({ text: nested(200_000) }),
      message(),
    ];
    const outcomes = await evaluatorOf({ transform: 'payload' }).evaluate(messages, maxBytes);
    expect(outcomes.map(({ kind }) => kind)).toEqual([
      'passed',
      'failed',
      'passed',
      'failed',
      'passed',
      'failed',
      'passed',
    ]);
  });

  test('results of one call end with its bytes, and what is left is for the next', async () => {
    const evaluator = evaluatorOf({ transform: '$pad("", 1000, "x")' });
    const messages = Array.from({ length: 300 }, () => message());
    const first = await evaluator.evaluate(messages, 10_000);
    expect(first.length).toBeGreaterThanOrEqual(10);
    expect(first.length).toBeLessThan(300);
    expect(await evaluator.evaluate(messages.slice(first.length), 1)).not.toHaveLength(0);
    const [tooLarge] = await evaluator.evaluate(messages, 999);
    expect(tooLarge?.kind).toBe('failed');
  });

  test('a message that blocks the thread fails alone, in a batch of others', async () => {
    // Backtracks for ages on a run of a; the others are through at once.
    const evaluator = evaluatorOf({ where: '$not($contains(payload, /^(a+)+$/))' });
    const messages = Array.from({ length: 40 }, (_, index) =>
      message({ text: index === 17 ? `${'a'.repeat(60)}!` : 'short' }),
    );
    const outcomes = await evaluator.evaluate(messages, maxBytes);
    expect(outcomes.map(({ kind }) => kind)).toEqual(
      messages.map((_, index) => (index === 17 ? 'failed' : 'passed')),
    );
    expect(await evaluator.evaluate([message({ text: 'b' })], maxBytes)).toMatchObject([
      { kind: 'passed' },
    ]);
  });

  test('calls wait for each other', async () => {
    const evaluator = evaluatorOf({ transform: 'payload' });
    const answers = await Promise.all(
      ['1', '2', '3'].map((text) => evaluator.evaluate([message({ text })], maxBytes)),
    );
    expect(answers.map(([outcome]) => bodyOf(outcome))).toEqual(['1', '2', '3']);
  });

  test('an expression that cannot be compiled is an error of the call', async () => {
    await expect(evaluatorOf({ where: '((' }).evaluate([message()], maxBytes)).rejects.toThrow();
  });
});

describe('the search for a message that ends the thread', () => {
  /** A thread without a thread: some messages end it, wherever they stand. */
  function scripted(bad: (input: { readonly id: string }) => boolean) {
    const jobs: string[][] = [];
    return {
      jobs,
      async run({ inputs }: Job): Promise<JobEnd> {
        const ids = inputs as { id: string }[];
        jobs.push(ids.map(({ id }) => id));
        const index = ids.findIndex(bad);
        if (index >= 0) return { kind: 'ended', index, reason: 'bad' };
        return { kind: 'done', outcomes: ids.map(() => ({ kind: 'passed' })) };
      },
      async close() {},
    };
  }

  test('only messages that end it by themselves fail, each alone, and all others pass in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 600 }), async (isBad) => {
        const messages = isBad.map((bad, index) => message({ id: `${index} ${bad}` }));
        const thread = scripted(({ id }) => id.endsWith('true'));
        const outcomes = await createEvaluator({}, thread).evaluate(messages, maxBytes);
        expect(outcomes.map(({ kind }) => kind === 'failed')).toEqual(isBad);
        const culprits = isBad.filter(Boolean).length;
        const { maxJobMessages } = expressionLimits;
        expect(thread.jobs.length).toBeLessThanOrEqual(
          3 * culprits + Math.ceil(isBad.length / maxJobMessages) + 1,
        );
      }),
      { numRuns: 100 },
    );
  });

  test('one that only others make too much passes by itself', async () => {
    const messages = [message({ id: 'a' }), message({ id: 'b' }), message({ id: 'c' })];
    let ended = 0;
    const thread = scripted(({ id }) => id === 'b' && ended++ === 0);
    const outcomes = await createEvaluator({}, thread).evaluate(messages, maxBytes);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['passed', 'passed', 'passed']);
    expect(thread.jobs).toEqual([['a', 'b', 'c'], ['a'], ['b'], ['c']]);
  });
});
