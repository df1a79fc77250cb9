// A message as a line for people: it stays one line, and commands no terminal.
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { lineOf } from '../../../infra/cli/tail-line.ts';
import { fc } from '../../support/property.ts';

const at = '2026-01-31T12:00:00.000000Z';
const lineFor = (more: object) =>
  stripVTControlCharacters(lineOf(JSON.stringify({ time: at, topic: 'rooms/kitchen', ...more })));

test('time, topic and payload', () => {
  expect(lineFor({ payload: { celsius: 21.5 } })).toMatch(
    /^\d\d:00:00 {2}rooms\/kitchen {2}\{"celsius":21\.5\}$/,
  );
  expect(lineFor({ payload: 'on', retain: true })).toMatch(/kitchen {2}retained {2}on$/);
  expect(lineFor({ payloadBase64: '/w==' })).toMatch(/base64 \/w==$/);
});

test('whatever a device sends, it is one line without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (topic, payload) => {
      expect(lineFor({ topic, payload: `\u001b[2J\r\n${payload}` })).not.toMatch(
        /[\p{Cc}\p{Zl}\p{Zp}]/u,
      );
    }),
  );
});
