import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { commandId } from '../../../functions/table/command-id.ts';
import {
  commandKey,
  commandsPartition,
  type LedgerEntry,
  ledgerEntryOf,
  ledgerItem,
  replyValue,
} from '../../../functions/table/command-item.ts';
import { legalTopic } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { bytes, properties, time } from './command-parts.ts';

test('an id leads to its item among those of its topic', () => {
  fc.assert(
    fc.property(legalTopic, (topic) => {
      const id = commandId(uuidv7(), topic);
      expect(commandKey(id)).toEqual({ pk: { S: commandsPartition(topic) }, sk: { S: id } });
    }),
  );
});

const entry: LedgerEntry = {
  id: commandId('01890a5d-ac96-774b-bcce-b302099a8057', 'a/{commandId}'),
  topic: 'a/{commandId}',
  status: 'pending',
  qos: 2,
  retain: true,
  createdAt: '2026-01-01T00:00:00.000Z',
  deadline: '2026-01-01T01:00:00.000Z',
  awaitsReply: true,
  responseTopic: 'r',
  correlationData: Buffer.from([0, 1]),
  history: [{ status: 'pending', at: '2026-01-01T00:00:00.000Z' }],
};

test('gives back a new command', () => {
  expect(ledgerEntryOf(ledgerItem(entry, 1_900_000_000))).toEqual(entry);
});

test('gives back what the bridge added', () => {
  fc.assert(
    fc.property(bytes, properties, time, (payload, { contentType, userProperties }, at) => {
      const reply = {
        topic: 'r',
        receivedAt: at,
        payloadBase64: payload.toString('base64'),
        ...(contentType !== undefined && { contentType }),
        ...(userProperties !== undefined && { userProperties }),
      };
      const item = {
        ...ledgerItem(entry, 1_900_000_000),
        status: { S: 'answered' },
        sentAt: { S: at },
        hadSubscribers: { BOOL: true },
        reply: replyValue(reply),
      };
      expect(ledgerEntryOf(item)).toEqual({
        ...entry,
        status: 'answered',
        sentAt: at,
        hadSubscribers: true,
        reply,
      });
    }),
  );
});

test('anything else is refused', () => {
  expect(() => ledgerEntryOf({})).toThrow(/no string attribute/);
  expect(() => ledgerEntryOf({ ...ledgerItem(entry, 1), status: { S: 'lost' } })).toThrow(/lost/);
});
