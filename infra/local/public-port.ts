// The port of `npm start` that others use: HOST, PORT and the certificate of TLS_CERT_FILE, which is read again when it
// changes.
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import { type Listening, listen } from '../../bridge/base/listen.ts';
import { certificateFiles, readCertificate } from '../broker/listening/certificate.ts';
import { watchFiles } from '../broker/settings/watched-files.ts';
import { portError, SettingError } from './setting-error.ts';
import type { Settings } from './settings.ts';

/** How often the certificate's files are looked at. */
const watchIntervalMs = 1000;

/** Rejects with a {@link SettingError}. */
export async function openPublicPort(
  app: Hono,
  settings: Pick<Settings, 'HOST' | 'PORT' | 'TLS_CERT_FILE' | 'TLS_KEY_FILE'>,
  log: Logger,
): Promise<Omit<Listening, 'renew'>> {
  const { HOST, PORT, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = settings;
  const files = certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
  const certificate = files && readAtStart(files);
  const { url, renew, close } = await listen(app, HOST, PORT, { certificate }).catch((error) => {
    throw listenError(HOST, PORT, error);
  });
  const stopWatching =
    files &&
    watchFiles(certificateFiles(files), {
      intervalMs: watchIntervalMs,
      onChange: () => renew(readCertificate(files)),
      onFault: ({ message }) =>
        log.error(
          { reason: message },
          'the certificate has changed and cannot be used; the old one holds',
        ),
    });
  return {
    url,
    close() {
      stopWatching?.();
      return close();
    },
  };
}

function readAtStart(files: Parameters<typeof readCertificate>[0]) {
  try {
    return readCertificate(files);
  } catch (error) {
    throw new SettingError('TLS_CERT_FILE', (error as Error).message, error);
  }
}

function listenError(host: string, port: number, error: unknown): SettingError {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN'
    ? new SettingError('HOST', `${host} is no address of this machine`, error)
    : portError('PORT', port, error);
}
