// Server-sent events in whatever pieces they arrive.
import { expect, test } from 'vitest';
import {
  createEventParser,
  type StreamEvent,
} from '../../../functions/console/client/event-stream.ts';
import { fc } from '../../support/property.ts';

const text =
  'retry: 250\n\n: alive\n\nevent: ready\nid: 1\ndata: {}\n\nevent: message\r\nid: 2\r\ndata: {"a":"b: c"}\r\n\r\ndata: x\ndata:y\n\n';
const expected: StreamEvent[] = [
  { event: 'ready', id: '1', data: '{}' },
  { event: 'message', id: '2', data: '{"a":"b: c"}' },
  { event: 'message', id: '2', data: 'x\ny' },
];

test('the same events, however the text is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: text.length - 1 }), { maxLength: 8 }),
      (cuts) => {
        const events: StreamEvent[] = [];
        const waits: number[] = [];
        const take = createEventParser(
          (event) => events.push(event),
          (ms) => waits.push(ms),
        );
        let start = 0;
        for (const cut of [...new Set([...cuts, text.length])].sort((a, b) => a - b)) {
          take(text.slice(start, cut));
          start = cut;
        }
        expect(events).toEqual(expected);
        expect(waits).toEqual([250]);
      },
    ),
  );
});
