// Which broker the local stack uses, the embedded one, that of BROKER_URL or that of causeway.config.ts, and how its
// bridge gets in.
import type { Logger } from 'pino';
import type { Broker } from '../../bridge/broker/access.ts';
import { commandsClientId } from '../../bridge/broker/client-ids.ts';
import { connectOnce } from '../../bridge/broker/connection.ts';
import { type BridgeConfigInput, publicUrl } from '../../bridge/config.ts';
import type { CausewayConfig } from '../config.ts';
import { type EmbeddedBroker, startBroker } from './broker/broker.ts';
import { newOwnUser } from './broker/own-user.ts';
import { brokerError, SettingError, type SettingName } from './setting-error.ts';
import type { Settings } from './settings.ts';

export interface ChosenBroker {
  /** The setting that a fault of it is about. */
  readonly setting: SettingName;
  /** Where devices find it. */
  readonly url: string;
  /** The same for the clients of this process: it may hold a password, and is not to be shown. */
  readonly ownUrl: string;
  /** What the bridge's document says of it. */
  readonly document: BridgeConfigInput['broker'];
  /** Undefined where it is another's. */
  readonly embedded: EmbeddedBroker | undefined;
}

/** Starts the embedded broker where no other is named. Rejects with a {@link SettingError}. */
export async function chooseBroker(
  settings: Settings,
  configured: CausewayConfig['broker'],
  log: Logger,
): Promise<ChosenBroker> {
  const { BROKER_URL: url, USE_CONFIG_BROKER } = settings;
  if (USE_CONFIG_BROKER) {
    const document = configuredBroker(configured);
    return {
      setting: 'USE_CONFIG_BROKER',
      url: document.url,
      ownUrl: document.url,
      document,
      embedded: undefined,
    };
  }
  if (url !== undefined)
    return {
      setting: 'BROKER_URL',
      url,
      ownUrl: url,
      document: documentOf(url),
      embedded: undefined,
    };
  return startEmbedded(settings, log);
}

/**
 * The bridge logs in as the broker's own user, with a password of this process. So neither the users file nor
 * `anonymous` can lock it out, and no other client gets its sessions.
 */
async function startEmbedded(settings: Settings, log: Logger): Promise<ChosenBroker> {
  const { broker } = settings;
  if (broker === undefined) throw new Error('the settings are those of another broker');
  const ownUser = newOwnUser();
  const embedded = await startBroker({
    ...broker,
    ownUser,
    log: log.child({ part: 'broker' }),
  }).catch((error) => {
    throw brokerError(settings, error);
  });
  const url = `mqtt://${connectHost(broker.host)}:${embedded.port}`;
  const own = new URL(url);
  own.username = encodeURIComponent(ownUser.name);
  own.password = encodeURIComponent(ownUser.password);
  const ownUrl = own.href;
  // It has no MQTT 5, and counts who tries.
  const document = { ...documentOf(ownUrl), protocolVersion: 4 } as const;
  return { setting: 'BROKER_HOST', url, ownUrl, document, embedded };
}

/** Where a client of this machine finds what listens on `host`. */
function connectHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === 'localhost') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function documentOf(url: string): BridgeConfigInput['broker'] {
  const { username, password } = new URL(url);
  return {
    url,
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
}

/**
 * The broker of the config as the deployed bridge uses it, but for the client ids: with the same ones, this bridge
 * and the deployed one would throw each other out, and take each other's backlog.
 */
function configuredBroker(configured: CausewayConfig['broker']): BridgeConfigInput['broker'] {
  const { allowPlainText: _, receiveMaximum: __, maxClients: ___, ...broker } = configured;
  return { ...broker, clientIdPrefix: `${broker.clientIdPrefix.slice(0, 34)}-local` };
}

/** Rejects with a {@link SettingError} where the broker does not let the bridge in: that would wait for ever. */
export async function checkBroker(
  { setting, embedded }: ChosenBroker,
  broker: Broker,
): Promise<void> {
  // It lets its own user in, and would remember the trial among its clients.
  if (embedded !== undefined) return;
  const reason = await refusalOf(broker);
  if (reason !== undefined)
    throw new SettingError(
      setting,
      `the broker at ${publicUrl(broker.url)} cannot be reached: ${reason}`,
    );
}

async function refusalOf(broker: Broker): Promise<string | undefined> {
  for (const version of broker.protocolVersion === 4 ? ([4] as const) : ([5, 4] as const)) {
    const clientId = commandsClientId(broker);
    const outcome = await connectOnce({ broker, clientId, clean: true }, version);
    if (outcome.kind === 'connected') {
      outcome.link.client.end();
      await outcome.link.closed;
      return undefined;
    }
    if (outcome.kind === 'unreachable' || version === 4) return outcome.reason;
  }
  return undefined;
}
