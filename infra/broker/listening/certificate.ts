// The server's certificate: read from its files, and checked before it is used.
import { readFileSync } from 'node:fs';
import { createSecureContext, type TlsOptions } from 'node:tls';
import { pemIn, pemMistake } from '../../../bridge/base/given-text.ts';
import type { BrokerSettings } from '../settings/settings.ts';

type TlsSettings = Pick<
  NonNullable<BrokerSettings['tls']>,
  'certFile' | 'keyFile' | 'clientCaFile'
>;

export function certificateFiles({ certFile, keyFile, clientCaFile }: TlsSettings): string[] {
  return [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])];
}

/** Throws where a file cannot be read, is no PEM, or the key is another certificate's. */
export function readCertificate({ certFile, keyFile, clientCaFile }: TlsSettings): TlsOptions {
  const options: TlsOptions = {
    cert: readPem(certFile, 'certificate'),
    key: readPem(keyFile, 'private key'),
    minVersion: 'TLSv1.2',
    ...(clientCaFile !== undefined && {
      ca: readPem(clientCaFile, 'certificate'),
      requestCert: true,
      rejectUnauthorized: true,
    }),
  };
  createSecureContext(options);
  return options;
}

function readPem(file: string, wanted: 'certificate' | 'private key'): string {
  const pem = pemIn(readFileSync(file, 'utf8'));
  const mistake = pemMistake(pem, wanted);
  if (mistake !== undefined) throw new Error(`${file}: ${mistake}`);
  return pem;
}
