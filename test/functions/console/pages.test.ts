// What decides in the console, without a browser: the verdict, the tree of topics, columns of numbers, completions, drafts.
import { describe, expect, test } from 'vitest';
import { parseAnswer } from '../../../functions/console/client/json-answer.ts';
import type { Route, Topic } from '../../../functions/console/client/operations.ts';
import { span } from '../../../functions/console/components/format.ts';
import {
  numbersIn,
  type Payload,
  sizeOf,
  textOf,
} from '../../../functions/console/components/payload-text.ts';
import { completionsOf } from '../../../functions/console/components/topic-completion.ts';
import { countsOf, matching } from '../../../functions/console/pages/dead-letters/groups.ts';
import { changeText, numberTable } from '../../../functions/console/pages/messages/columns.ts';
import { goneOn, spanWith } from '../../../functions/console/pages/messages/field-series.ts';
import {
  filterOf,
  narrowed,
  topicTree,
} from '../../../functions/console/pages/messages/topic-tree.ts';
import { verdictOf } from '../../../functions/console/pages/overview/verdict.ts';
import { draftFrom, jsonFault, requestOf } from '../../../functions/console/pages/publish/draft.ts';
import { fc } from '../../support/property.ts';

const route = (state: Route['state'], name = 'store') => ({ name, state }) as Route;

describe('the verdict', () => {
  test.each<[Route['state'][], string, string | undefined]>([
    [[], 'quiet', undefined],
    [['active', 'active'], 'ok', undefined],
    [['standby', 'standby'], 'quiet', undefined],
    [['active', 'holding'], 'warn', 'r1'],
    [['paused', 'active'], 'quiet', 'r0'],
    [['holding', 'disconnected', 'paused'], 'bad', 'r1'],
    [['holding', 'disabled'], 'warn', 'r1'],
  ])('%j is %s', (states, tone, name) => {
    const verdict = verdictOf(states.map((state, index) => route(state, `r${index}`)));
    expect([verdict.tone, verdict.route?.name]).toEqual([tone, name]);
  });
});

const topic = (name: string, messages = 1) => ({ topic: name, messages }) as Topic;

describe('the tree of topics', () => {
  test('levels with one child are joined, and what is below is counted', () => {
    const tree = topicTree([topic('a/b/c', 2), topic('a/b/d', 3), topic('x/y/z'), topic('a/b')]);
    expect(tree.map(({ name, topics, messages }) => [name, topics, messages])).toEqual([
      ['a/b', 3, 6],
      ['x/y/z', 1, 1],
    ]);
    expect(tree.map(filterOf)).toEqual(['a/b/#', 'x/y/z']);
    expect(narrowed(tree, 'D').map(({ children }) => children.map(({ name }) => name))).toEqual([
      ['d'],
    ]);
  });

  test('every topic is in it once', () => {
    const levels = fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.uniqueArray(levels.map((parts) => parts.join('/'))), (names) => {
        const found: string[] = [];
        const visit = (nodes: ReturnType<typeof topicTree>): void => {
          for (const node of nodes) {
            if (node.isTopic) found.push(node.path);
            visit([...node.children]);
          }
        };
        visit(topicTree(names.map((name) => topic(name))));
        expect(found.sort()).toEqual([...names].sort());
      }),
    );
  });
});

test('completions go on level by level, and offer wildcards where there is a choice', () => {
  const topics = [topic('rooms/kitchen/temperature'), topic('rooms/hall'), topic('a')];
  const values = (text: string, wild = true) =>
    completionsOf(text, topics, wild).map(({ value }) => value);
  expect(values('r')).toEqual(['rooms/']);
  expect(values('rooms/')).toEqual(['rooms/#', 'rooms/+', 'rooms/kitchen/', 'rooms/hall']);
  expect(values('rooms/', false)).toEqual(['rooms/kitchen/', 'rooms/hall']);
  expect(values('+/k')).toEqual(['+/kitchen/']);
  expect(values('rooms/hall')).toEqual([]);
});

test('numbers are columns with their change, in as many digits as they have', () => {
  const message = (payload: unknown) => ({ payload }) as never;
  const { columns, rows } = numberTable([
    message({ celsius: 21.5, at: 3 }),
    message({ celsius: 21.25 }),
    message('text'),
  ]);
  expect(columns).toEqual([
    { path: 'celsius', decimals: 2 },
    { path: 'at', decimals: 0 },
  ]);
  expect(rows.map(({ cells }) => cells)).toEqual([
    [{ value: 21.5, change: 0.25 }, { value: 3 }],
    [{ value: 21.25 }, undefined],
    [undefined, undefined],
  ]);
  expect([0.25, -0.3, 0].map((change) => changeText(change, 2))).toEqual(['+0.25', '−0.30', '=']);
});

test('payloads: their text, size and numbers', () => {
  expect(sizeOf({ payload: 'ü' })).toBe(2);
  expect(sizeOf({ payloadBase64: '/wAQ' })).toBe(3);
  expect(sizeOf({ payloadBase64: '/w==' })).toBe(1);
  expect(textOf({ payload: { a: 1 }, payloadText: '{ "a": 1.0 }' })).toBe('{ "a": 1.0 }');
  expect(textOf({ payloadBase64: '/w==' })).toBeUndefined();
  expect([...numbersIn({ a: { b: [1, 'x'] }, c: 2 })]).toEqual([
    ['c', 2],
    ['a.b.0', 1],
  ]);
});

test('payloads of answers keep their text, to the last digit and blank', () => {
  const payloads = ['{"n":9007199254740993,"n": 1e400 }', ' 1e400\n', '[1.0]', '{"payload":"x"}'];
  const list = payloads.map((payload, index) => `{"id":"${index}","payload":${payload}}`);
  const texts = (value: unknown) =>
    (value as { messages: Payload[] }).messages.map(({ payloadText }) => payloadText);
  expect(texts(parseAnswer(`{"messages":[${list.join(', ')}]}`))).toEqual(payloads);
  expect(parseAnswer('{"id":"a","message":{"payload":"text","id":"b"},"history":[1]}')).toEqual({
    id: 'a',
    message: { payload: 'text', id: 'b' },
    history: [1],
  });
  expect(() => parseAnswer('{"payload":')).toThrow(SyntaxError);
});

describe('a draft', () => {
  test('a JSON payload is sent as it was written', () => {
    const draft = { ...draftFrom({ topic: 'a/b' }), payload: '{"n": 9007199254740993}' };
    expect(requestOf(draft).bodyText).toBe('{"topic":"a/b","payload":{"n": 9007199254740993}}');
    expect(requestOf({ ...draft, kind: 'text', qos: 0 }).body).toEqual({
      topic: 'a/b',
      qos: 0,
      payload: draft.payload,
    });
  });

  test('what is sent again keeps what it is', () => {
    expect(draftFrom({ topic: 'a', payload: 'on' }).kind).toBe('text');
    expect(draftFrom({ topic: 'a', payload: '{"a":1}' }).kind).toBe('json');
    expect(draftFrom({ topic: 'a', base64: '/w==' })).toMatchObject({
      kind: 'base64',
      payload: '/w==',
    });
  });

  test('a fault of JSON has its line', () => {
    expect(jsonFault('{"a": 1}')).toBeUndefined();
    expect(jsonFault('{\n"a": 1,\n}')).toMatchObject({ line: 3 });
  });
});

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [11 * 60_000, '11 min'],
  [3 * 3_600_000 + 60_000, '3 h 1 min'],
  [50 * 3_600_000, '2 d 2 h'],
])('%d ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test('curves go on from answer to answer, also in the middle of a step', () => {
  const point = (at: string, min: number, mean: number, max: number, count: number) =>
    ({ at, min, mean, max, count }) as const;
  const before = [point('1', 1, 1, 1, 1), point('2', 1, 2, 3, 2)];
  expect(goneOn(before, [point('2', 0, 5, 9, 4), point('3', 1, 1, 1, 1)])).toEqual([
    before[0],
    point('2', 0, 4, 9, 6),
    point('3', 1, 1, 1, 1),
  ]);
  expect(goneOn(before, [])).toEqual(before);
  expect(goneOn([], before)).toEqual(before);
  expect([0, 7 * 3_600_000, 90 * 86_400_000].map((ago) => spanWith(-ago, 0))).toEqual([
    '1h',
    '24h',
    '7d',
  ]);
});

test('dead letters are counted by route and reason, of what else is chosen', () => {
  const group = (route: string, reason: string, count: number) =>
    ({ route, reason, count, newestAt: '' }) as const;
  const groups = [group('a', '422', 5), group('b', '422', 2), group('b', '400', 1)];
  expect(countsOf(groups, 'reason')).toEqual([
    ['422', 7],
    ['400', 1],
  ]);
  expect(matching(groups, { route: 'b', reason: '422' })).toEqual([groups[1]]);
  expect(countsOf(matching(groups, { route: 'b', reason: undefined }), 'route')).toEqual([
    ['b', 3],
  ]);
});
