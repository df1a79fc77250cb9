// Waits that somebody calls off leave nothing behind on a signal that lives on.
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { changedOrAborted, untilAborted } from '../../../bridge/base/aborted.ts';
import { RouteGate } from '../../../bridge/routes/route-gate.ts';
import { neverChanged } from '../../../bridge/routes/route-state.ts';

const process = new AbortController();
const listeners = () => getEventListeners(process.signal, 'abort').length;

test('the loss of one lease after the other', async () => {
  for (let round = 0; round < 20; round++) {
    const lease = new AbortController();
    const lost = untilAborted(lease.signal, process.signal);
    expect(listeners()).toBe(1);
    lease.abort();
    await lost;
    expect(listeners()).toBe(0);
  }
  await untilAborted(AbortSignal.abort(), process.signal);
  expect(listeners()).toBe(0);
});

test('one change after the other, and an end without one', async () => {
  for (let round = 0; round < 20; round++) {
    await changedOrAborted(Promise.resolve(), process.signal);
    expect(listeners()).toBe(0);
  }
  const stop = new AbortController();
  const stopped = changedOrAborted(new Promise(() => {}), stop.signal);
  stop.abort();
  await stopped;
  await changedOrAborted(new Promise(() => {}), stop.signal);
});

test('a gate that opens, or whose wait ends while it is closed', async () => {
  const gate = new RouteGate(() => {});
  const opened = gate.opened(process.signal);
  const stop = new AbortController();
  const stopped = gate.opened(stop.signal);
  expect(listeners()).toBe(1);
  stop.abort();
  await stopped;
  expect(gate.isOpen).toBe(false);
  gate.adopt(neverChanged);
  await opened;
  expect(listeners()).toBe(0);
});
