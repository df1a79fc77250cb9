// A setting of `npm start` that cannot be used, in one line that names it; and which one it is that a fault is about.
import { UnusableFileError } from '../broker/broker.ts';
import { variableOf } from '../broker/settings/environment.ts';
import type { Settings } from './settings.ts';

export type SettingName =
  | Exclude<keyof Settings, 'broker'>
  | `BROKER_${string}`
  | 'causeway.config.ts';

export class SettingError extends Error {
  readonly code = 'SETTING';

  constructor(setting: SettingName, problem: string, cause?: unknown) {
    super(`${setting}: ${problem}`, { cause });
    this.name = 'SettingError';
  }
}

/** A port that cannot be listened on. */
export function portError(setting: SettingName, port: number, error: unknown): SettingError {
  const code = codeOf(error);
  if (code === 'EADDRINUSE')
    return new SettingError(setting, `port ${port} is taken; choose another`, error);
  if (code === 'EACCES')
    return new SettingError(setting, `port ${port} may not be used by this user`, error);
  return new SettingError(setting, messageOf(error), error);
}

/** The folder of broker and database. */
export function folderError({ DATA_DIR }: Settings, error: unknown): SettingError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return new SettingError('DATA_DIR', folderProblem(DATA_DIR, cause), error);
}

function folderProblem(folder: string, cause: unknown): string {
  switch (codeOf(cause)) {
    case 'LEVEL_LOCKED':
      return `${folder} is in use by another process`;
    case 'EPERM':
    case 'EACCES':
      return `${folder} must belong to this user, ${process.getuid?.()}: ${messageOf(cause)}`;
    default:
      return messageOf(cause);
  }
}

/** Why the embedded broker does not start. */
export function brokerError(settings: Settings, error: unknown): SettingError {
  if (error instanceof UnusableFileError)
    return new SettingError(brokerVariable(error.field), error.message, error);
  const isListening = error instanceof Error && 'syscall' in error && error.syscall === 'listen';
  if (!isListening) return folderError(settings, error);
  const { tls, websocket } = settings.broker ?? {};
  if (codeOf(error) === 'EADDRNOTAVAIL') {
    const address = 'address' in error ? error.address : undefined;
    const at = (['tls', 'websocket'] as const).find(
      (name) => settings.broker?.[name] !== undefined && settings.broker[name].host === address,
    );
    const variable = brokerVariable(at === undefined ? 'host' : `${at}.host`);
    return new SettingError(variable, `${address} is no address of this machine`, error);
  }
  const port = 'port' in error ? Number(error.port) : settings.MQTT_PORT;
  if (port === tls?.port) return portError('BROKER_TLS_PORT', port, error);
  if (port === websocket?.port) return portError('BROKER_WEBSOCKET_PORT', port, error);
  return portError('MQTT_PORT', port, error);
}

const brokerVariable = (field: string) => variableOf(field) as `BROKER_${string}`;

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? error.code : undefined;
