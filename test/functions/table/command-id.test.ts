import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { commandIdLength } from '../../../functions/contract/command.ts';
import {
  commandId,
  digestIn,
  isCommandId,
  topicDigest,
  uuidIn,
} from '../../../functions/table/command-id.ts';
import { legalTopic } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';

test('an id has its UUID and the digest of its topic, for any topic', () => {
  fc.assert(
    fc.property(legalTopic, (topic) => {
      const uuid = uuidv7();
      const id = commandId(uuid, topic);
      expect([id.length, isCommandId(id)]).toEqual([commandIdLength, true]);
      expect([uuidIn(id), digestIn(id)]).toEqual([uuid, topicDigest(topic)]);
    }),
  );
});

test.each([
  '',
  'x',
  `${'0'.repeat(36)}-${'g'.repeat(16)}`,
  `${'0'.repeat(53)}\n`,
  '../'.repeat(18),
])('%j is no id', (text) => expect(isCommandId(text)).toBe(false));
