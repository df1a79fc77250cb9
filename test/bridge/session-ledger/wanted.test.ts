// The sessions that a config wants: which group shares what.
import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { wantedSessions } from '../../../bridge/session-ledger/wanted.ts';

function groupsOf(route: { connections?: number; shareGroup?: string }): (string | undefined)[] {
  const config = parseConfig({
    broker: { url: 'mqtt://127.0.0.1', clientIdPrefix: 'one' },
    routes: [{ name: 'store', filter: '#', url: 'https://handler.example.com/', ...route }],
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const { broker, routes } = config.value;
  return routes
    .flatMap((each) => wantedSessions(broker, each))
    .map(({ subscription }) => subscription.group);
}

test('one connection shares with nobody, several with each other', () => {
  expect(groupsOf({})).toEqual([undefined]);
  expect(groupsOf({ connections: 2 })).toEqual(['one-store', 'one-store']);
});

test('a group that is named is shared with other deployments, by one connection too', () => {
  expect(groupsOf({ shareGroup: 'fleet' })).toEqual(['fleet']);
  expect(groupsOf({ connections: 2, shareGroup: 'fleet' })).toEqual(['fleet', 'fleet']);
});
