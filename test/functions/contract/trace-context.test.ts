import { expect, test } from 'vitest';
import { encodeEnvelope, encodeEvent } from '../../../functions/contract/envelope.ts';
import { traceContextIn } from '../../../functions/contract/trace-context.ts';
import { message } from '../../support/messages.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const withPairs = (...userProperties: [string, string][]) =>
  message({ properties: { userProperties } });

test.each<[string, [string, string][], object | undefined]>([
  ['a trace', [['traceparent', traceparent]], { traceparent }],
  [
    'a trace and its state',
    [
      ['tracestate', ' a=1,b=2'],
      ['traceparent', traceparent],
    ],
    { traceparent, tracestate: 'a=1,b=2' },
  ],
  ['nothing', [], undefined],
  ['a state alone', [['tracestate', 'a=1']], undefined],
  ['another name', [['Traceparent', traceparent]], undefined],
  ['a trace of zeros', [['traceparent', traceparent.replace(/[1-9a-f]/g, '0')]], undefined],
  ['version ff', [['traceparent', traceparent.replace('00-', 'ff-')]], undefined],
  ['a line break', [['traceparent', `${traceparent}\r\nx: y`]], undefined],
  [
    'a state that is no header',
    [
      ['traceparent', traceparent],
      ['tracestate', 'a=é'],
    ],
    { traceparent },
  ],
  [
    'a state that is too long',
    [
      ['traceparent', traceparent],
      ['tracestate', 'x'.repeat(513)],
    ],
    { traceparent },
  ],
])('a device that gives %s', (_, pairs, expected) => {
  expect(traceContextIn(withPairs(...pairs))).toEqual(expected);
});

test('stands in events of version 2 as in the extension of CloudEvents, and in no envelope that we keep', () => {
  const traced = withPairs(['traceparent', traceparent], ['tracestate', 'a="1"']);
  expect(JSON.parse(encodeEvent(traced, 2))).toMatchObject({ traceparent, tracestate: 'a="1"' });
  expect(JSON.parse(encodeEvent(message(), 2))).not.toHaveProperty('traceparent');
  expect(JSON.parse(encodeEnvelope(traced))).not.toHaveProperty('traceparent');
});
