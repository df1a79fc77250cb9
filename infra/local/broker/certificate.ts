// The server's certificate: read from its files, and checked before it is used.
import { readFileSync } from 'node:fs';
import { createSecureContext, type TlsOptions } from 'node:tls';
import type { BrokerSettings } from './settings.ts';

type TlsSettings = NonNullable<BrokerSettings['tls']>;

export function certificateFiles({ certFile, keyFile, clientCaFile }: TlsSettings): string[] {
  return [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])];
}

/** Throws where a file cannot be read, is no PEM, or the key is another certificate's. */
export function readCertificate({ certFile, keyFile, clientCaFile }: TlsSettings): TlsOptions {
  const options: TlsOptions = {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    minVersion: 'TLSv1.2',
    ...(clientCaFile !== undefined && {
      ca: readFileSync(clientCaFile),
      requestCert: true,
      rejectUnauthorized: true,
    }),
  };
  createSecureContext(options);
  return options;
}
