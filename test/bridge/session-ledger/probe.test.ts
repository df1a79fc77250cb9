// Sessions that no ledger knows, looked for at a broker that tells of its sessions, and at one that does not.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { SessionLedger } from '../../../bridge/session-ledger/ledger.ts';
import { folderLedger } from '../../../bridge/session-ledger/ledger-folder.ts';
import { type HasSession, probeSessions } from '../../../bridge/session-ledger/probe.ts';
import { wantedSessions } from '../../../bridge/session-ledger/wanted.ts';
import { connect, start } from '../../infra/broker/started.ts';
import { temporaryFolder } from '../../support/brokers.ts';

const log = pino({ level: 'silent' });

/** Looks for sessions of the route `store`, which has one connection, where one of `store-2` was left. */
async function probed(tells: boolean) {
  const broker = await start();
  const left = await connect(broker, { clientId: 'causeway-store-2', clean: false });
  await left.endAsync();
  const connected = new Set<string>();
  broker.events.on('connected', ({ clientId }) => connected.add(clientId));
  const config = parseConfig({
    broker: { url: `mqtt://127.0.0.1:${broker.port}`, protocolVersion: 5 },
    routes: [{ name: 'store', filter: '#', url: 'http://handler.invalid' }],
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const ledger = new SessionLedger({
    store: folderLedger(temporaryFolder('ledger'), 'causeway'),
    wanted: config.value.routes.flatMap((route) => wantedSessions(config.value.broker, route)),
    brokerHost: '127.0.0.1',
    isClean: false,
    log,
  });
  const hasSession: HasSession = (clientId) => broker.backlogOf(clientId) !== undefined;
  const isDone = await probeSessions({
    ledger,
    broker: config.value.broker,
    acquire: undefined,
    hasSession: tells ? hasSession : undefined,
    log,
    signal: new AbortController().signal,
  });
  expect(isDone).toBe(true);
  return { connected: [...connected].sort(), found: ledger.entries.map((each) => each.clientId) };
}

test('at a broker that tells of its sessions nobody connects for one that is not there', async () => {
  expect(await probed(true)).toEqual({
    connected: ['causeway-store-2'],
    found: ['causeway-store-2'],
  });
});

test('at any other broker the next client ids are tried', async () => {
  expect(await probed(false)).toEqual({
    connected: [1, 2, 3, 4, 5, 6].map((number) => `causeway-store-${number}`),
    found: ['causeway-store-2'],
  });
});
