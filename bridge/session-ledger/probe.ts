// Sessions that a bridge before the ledger has made, and that no ledger knows. A broker that tells of its sessions is asked;
// at others their client ids are tried once, and Session Present says which of them there are. They are of routes that had
// more connections.
import type { Logger } from 'pino';
import type { Acquire } from '../base/leased.ts';
import type { Broker } from '../connection/access.ts';
import { connectOnce, disconnect } from '../connection/connection.ts';
import type { Connecting } from '../connection/link.ts';
import { readPast } from '../connection/streamed-payload.ts';
import type { SessionEntry } from './entry.ts';
import type { SessionLedger } from './ledger.ts';
import { endSession } from './left-subscription.ts';

/** Whether the broker has a session for a client id, where it tells. */
export type HasSession = (clientId: string) => boolean;

export interface ProbeOptions {
  readonly ledger: SessionLedger;
  readonly broker: Broker;
  /** For sessions of no route in particular. */
  readonly acquire: Acquire | undefined;
  /** Absent where the broker tells nothing. */
  readonly hasSession: HasSession | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Maximum connections of a route. */
const maxConnections = 64;
/** The connections of a route are numbered without a gap: past so many that are not there, there are none. */
const maxAbsent = 4;
/** A holder that has a lease for longer than this is alive. */
const leaseWaitMs = 5000;

/** What comes is read, and stays unacknowledged at the broker. */
function withholdPublishes({ incoming }: Connecting): void {
  incoming.receiver = {
    onPublish() {},
    admit: () => 'stream',
    onStreamed: (_, payload) => void readPast(payload),
  };
}

/** Whether all could be asked for; what was found is in the ledger then. */
export async function probeSessions(options: ProbeOptions): Promise<boolean> {
  const { ledger, broker, signal } = options;
  const routes = new Set(ledger.wanted.map(({ route }) => route));
  for (const route of routes) {
    const sessions = ledger.wanted.filter((session) => session.route === route);
    const [first] = sessions;
    let absent = 0;
    for (let n = sessions.length; first && n < maxConnections && absent < maxAbsent; n++) {
      if (signal.aborted) return false;
      const clientId = `${broker.clientIdPrefix}-${route}-${n}`;
      if (ledger.entry(clientId) !== undefined) continue;
      const { filter, qos } = first.subscription;
      const entry: SessionEntry = {
        clientId,
        lease: clientId,
        route,
        target: first.target,
        brokerHost: ledger.brokerHost,
        // What it is likely to have: shared with the others, or from when it was another's.
        subscriptions: [
          { filter, group: `${broker.clientIdPrefix}-${route}`, qos, state: 'granted' },
          { filter, qos, state: 'granted' },
        ],
        formerFilters: [],
      };
      // Not tried where there is none: the client id would stay in the broker's list of clients for ever.
      const found = options.hasSession?.(clientId) === false ? false : await probe(entry, options);
      if (found === undefined) return false;
      absent = found ? 0 : absent + 1;
    }
  }
  return true;
}

/** Whether the broker has the session; undefined where that cannot be known now. */
async function probe(
  entry: SessionEntry,
  { ledger, broker, acquire, log, signal }: ProbeOptions,
): Promise<boolean | undefined> {
  const { clientId, lease: leaseName } = entry;
  const waiting = AbortSignal.any([signal, AbortSignal.timeout(leaseWaitMs)]);
  const lease = await acquire?.(leaseName, log, waiting);
  if (acquire !== undefined && lease === undefined) return undefined;
  try {
    const outcome = await connectOnce(
      { broker, clientId, clean: false },
      broker.protocolVersion,
      withholdPublishes,
      signal,
    );
    if (outcome.kind !== 'connected') return undefined;
    const { sessionPresent, protocolVersion } = outcome.link;
    await disconnect(outcome.link);
    if (sessionPresent) {
      log.warn({ clientId }, 'a session that the config no longer has was found at the broker');
      return (await ledger.put(entry, signal)) ? true : undefined;
    }
    // It was made by asking.
    return (await endSession(broker, clientId, protocolVersion)) ? false : undefined;
  } finally {
    await lease?.release();
  }
}
