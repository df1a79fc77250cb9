// The client ids of the bridge's connections: made of the prefix and a name, or as the broker's platform gave them out.
import { randomBytes } from 'node:crypto';
import type { BrokerConfig } from '../config/config.ts';

type Naming = Pick<BrokerConfig, 'clientIdPrefix' | 'clientIds' | 'onenet'>;

/** The name of the connection that commands leave on. */
const commandsName = 'commands';

/** The client id of a route's connection, whose name is `<route>-<connection>`. */
export function clientIdOf({ clientIdPrefix, clientIds }: Naming, name: string): string {
  return clientIds[name] ?? `${clientIdPrefix}-${name}`;
}

/** Whether commands leave with one client id only, so that there is one connection at a time. */
export function hasFixedCommandsId({ clientIds, onenet }: Naming): boolean {
  return clientIds[commandsName] !== undefined || onenet !== undefined;
}

/**
 * The client id that commands leave with. Without a session, another one for each process, so that bridges that share
 * a config do not throw each other out; but where a client id is a device that must exist, the one of that device.
 */
export function commandsClientId(naming: Naming): string {
  if (hasFixedCommandsId(naming)) return clientIdOf(naming, commandsName);
  return `${naming.clientIdPrefix}-publisher-${randomBytes(6).toString('hex')}`;
}
