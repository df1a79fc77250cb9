// The rig itself: a bridge that acknowledges on receipt is caught, and the oracle sees each kind of fault.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { acknowledgeOnReceipt, replacedFiles } from './rig/bundle.ts';
import { judge, type Kept } from './rig/oracle.ts';
import { rowTimeoutMs } from './rig/random.ts';
import { killedUnderLoad, killedWhileHandlerIsDown } from './rig/rows.ts';

const name = `a bridge that acknowledges on receipt ${hasMosquitto ? '' : needsMosquitto}`.trim();

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test('loses messages when it is killed under load', async () => {
    expect((await killedUnderLoad('wrong')).faults).toContainEqual(expect.stringContaining('lost'));
  });

  test('loses messages when it is killed while the handler is down', async () => {
    const { faults } = await killedWhileHandlerIsDown('wrong');
    expect(faults).toContainEqual(expect.stringContaining('lost'));
  });
});

test.each(replacedFiles)(
  'the wrong %s differs from the right one, or cannot be built',
  async (file) => {
    const source = await readFile(`bridge/session/${file}`, 'utf8');
    expect(acknowledgeOnReceipt(file, source)).not.toBe(source);
    expect(() => acknowledgeOnReceipt(file, '')).toThrow(`bridge/session/${file} must contain`);
  },
);

describe('the oracle', () => {
  const kept = (number: number, parts: Partial<Kept> = {}): Kept => ({
    number,
    topic: 't',
    digest: `digest ${number}`,
    ...parts,
  });
  const sent = new Map(
    [1, 2, 3].map((number) => [number, { topic: 't', digest: `digest ${number}` }]),
  );
  // 3 is in doubt: its PUBACK never came.
  const acknowledged = new Set([1, 2]);
  const faultsOf = (stored: Kept[], quarantined: Kept[] = [], early: number[] = []) =>
    judge({ sent, acknowledged, stored, quarantined, acknowledgedUnstored: new Set(early) }).faults;

  test('is content where the promise was kept', () => {
    expect(faultsOf([kept(1), kept(2)])).toEqual([]);
    expect(faultsOf([kept(1), kept(2), kept(3)])).toEqual([]);
    expect(faultsOf([kept(1)], [kept(2, { reason: 'poison' })])).toEqual([]);
    expect(faultsOf([kept(1)], [kept(2, { reason: 'poison' })], [2])).toEqual([]);
  });

  test('does not blame the bridge for what the broker lost', () => {
    const evidence = {
      sent,
      acknowledged,
      quarantined: [],
      acknowledgedUnstored: new Set<number>(),
    };
    expect(judge({ ...evidence, stored: [kept(1)], brokersLoss: new Set([2]) }).faults).toEqual([]);
  });

  test('sees a PUBACK before its message is stored, though nothing is lost', () => {
    expect(faultsOf([kept(1), kept(2)], [], [2])).toEqual([
      '1 acknowledged to the broker and not stored by then: 2',
    ]);
  });

  test.each([
    ['a loss', [kept(1)], [], '1 lost: 2'],
    ['a duplicate', [kept(1), kept(1), kept(2)], [], '1 kept more than once: 1'],
    [
      'a duplicate of one in doubt',
      [kept(1), kept(2), kept(3), kept(3)],
      [],
      '1 kept more than once: 3',
    ],
    [
      'one that is in both',
      [kept(1), kept(2)],
      [kept(2, { reason: 'x' })],
      '1 kept more than once: 2',
    ],
    ['a changed payload', [kept(1), kept(2, { digest: 'other' })], [], '1 damaged: 2'],
    ['another topic', [kept(1), kept(2, { topic: 'other' })], [], '1 damaged: 2'],
    [
      'a store of dead letters without a reason',
      [kept(1)],
      [kept(2)],
      '1 among the dead letters without a reason: 2',
    ],
    ['a foreign message', [kept(1), kept(2), kept(9)], [], '1 kept, and never published: t 9'],
  ])('sees %s', (_, stored, quarantined, fault) => {
    expect(faultsOf(stored, quarantined)).toEqual([fault]);
  });
});
