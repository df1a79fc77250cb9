// Which broker the local stack uses, the embedded one, that of BROKER_URL or that of causeway.config.ts, and how its
// bridge gets in.
import type { Logger } from 'pino';
import { type BridgeConfigInput, publicUrl } from '../../bridge/config/config.ts';
import { rulesOf } from '../../bridge/config/profile-settings.ts';
import type { Broker } from '../../bridge/connection/access.ts';
import { commandsClientId } from '../../bridge/connection/client-ids.ts';
import { connectOnce } from '../../bridge/connection/connection.ts';
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import { newOwnUser } from '../broker/access/own-user.ts';
import { type EmbeddedBroker, startBroker } from '../broker/broker.ts';
import { brokerDocument } from '../config/bridge-document.ts';
import type { CausewayConfig } from '../config/config.ts';
import { connectHost } from './hosts.ts';
import { localPrefix, machineIdIn } from './machine-id.ts';
import { brokerError, folderError, SettingError, type SettingName } from './setting-error.ts';
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
  /** What it does not take. */
  readonly rules: BrokerRules;
  /** Undefined where it is another's. */
  readonly embedded: EmbeddedBroker | undefined;
}

/** Starts the embedded broker where no other is named. Rejects with a {@link SettingError}. */
export async function chooseBroker(
  settings: Settings,
  configured: CausewayConfig['broker'],
  log: Logger,
): Promise<ChosenBroker> {
  const { BROKER_URL: url, USE_CONFIG_BROKER, DATA_DIR } = settings;
  if (!USE_CONFIG_BROKER && url === undefined) return startEmbedded(settings, log);
  const machineId = await machineIdIn(DATA_DIR).catch((error) => {
    throw folderError(settings, error);
  });
  const clientIdPrefix = localPrefix(configured.clientIdPrefix, machineId);
  if (url === undefined) {
    const document = { ...configuredBroker(configured), clientIdPrefix };
    return {
      setting: 'USE_CONFIG_BROKER',
      url: document.url,
      ownUrl: document.url,
      document,
      rules: rulesOf(document),
      embedded: undefined,
    };
  }
  return {
    setting: 'BROKER_URL',
    url,
    ownUrl: url,
    document: { ...documentOf(url), clientIdPrefix },
    rules: rulesOf({}),
    embedded: undefined,
  };
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
  const { clientIdPrefix } = ownUser;
  const document = { ...documentOf(ownUrl), profile: 'embedded', clientIdPrefix } as const;
  const rules = { ...rulesOf(document), maxTopicLevels: broker.limits.maxTopicLevels };
  return { setting: 'BROKER_HOST', url, ownUrl, document, rules, embedded };
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
 * and the deployed one would throw each other out, and take each other's backlog. OneNET has no others than those that
 * it gave out, and keeps no sessions.
 */
function configuredBroker(configured: CausewayConfig['broker']): BridgeConfigInput['broker'] {
  const { clientIds, ...broker } = brokerDocument(configured);
  return { ...broker, ...(broker.onenet !== undefined && { clientIds }) };
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
