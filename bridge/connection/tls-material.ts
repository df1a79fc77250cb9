// What this side brings to TLS, read before it is used: OpenSSL says of a broken file neither which one it is, nor,
// for a CA, that it is broken.
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { pemMistake } from '../base/given-text.ts';
import type { BrokerConfig } from '../config/config.ts';
import { certificatesIn, certificateText } from './certificates.ts';

/** What is shown and trusted in TLS, as PEM. */
export interface TlsTexts {
  ca?: string;
  cert?: string;
  key?: string;
}

/** Certificates of this side, and where they stand, in words. */
export interface OwnCertificates {
  readonly certificates: readonly X509Certificate[];
  readonly source: string;
}

export interface TlsMaterial {
  /** The broker's own CA; without it the public ones are trusted that Node.js brings. */
  readonly ca: OwnCertificates | undefined;
  /** The client certificate first, then what leads to its CA. */
  readonly client: OwnCertificates | undefined;
}

export type Sources = Pick<
  BrokerConfig,
  'caFile' | 'caSecret' | 'certificateFile' | 'keyFile' | 'clientCertificateSecret'
>;

/** Reads and checks CA, client certificate and key. Throws, with a reason that may be shown, where one is unusable. */
export function readMaterial({ ca, cert, key }: TlsTexts, sources: Sources): TlsMaterial {
  const { caFile, caSecret, certificateFile, keyFile, clientCertificateSecret } = sources;
  const material = {
    ca: certificatesOf('CA', ca, sourceText(caSecret, caFile)),
    client: certificatesOf('client', cert, sourceText(clientCertificateSecret, certificateFile)),
  };
  const keySource = sourceText(clientCertificateSecret, keyFile);
  const fault = key && material.client && keyFault(key, material.client, keySource);
  if (fault) throw new Error(fault);
  return material;
}

function certificatesOf(
  kind: string,
  pem: string | undefined,
  source: string,
): OwnCertificates | undefined {
  if (pem === undefined) return undefined;
  const certificates = tryTo(() => certificatesIn(pem)) ?? [];
  if (certificates.length === 0)
    throw new Error(`the ${kind} certificate in ${source} ${mistakeText(pem, 'certificate')}`);
  return { certificates, source };
}

function keyFault(pem: string, client: OwnCertificates, source: string): string | undefined {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem))
    return `the private key in ${source} has a passphrase: only keys without one can be used`;
  const key: KeyObject | undefined = tryTo(() => createPrivateKey(pem));
  if (key === undefined) return `the private key in ${source} ${mistakeText(pem, 'private key')}`;
  const [certificate] = client.certificates;
  if (certificate === undefined || certificate.checkPrivateKey(key)) return undefined;
  return `the private key in ${source} does not match the client certificate in ${client.source} (${certificateText(certificate)})`;
}

function mistakeText(pem: string, wanted: 'certificate' | 'private key'): string {
  const mistake = pemMistake(pem, wanted);
  return `cannot be read as PEM${mistake === undefined ? '' : `: it ${mistake}`}`;
}

function sourceText(secret: string | undefined, file: string | undefined): string {
  if (secret !== undefined) return `the secret ${secret}`;
  return file === undefined ? 'the config' : `the file ${file}`;
}

/** Undefined where OpenSSL cannot read it; its reasons are about ASN.1, and not for people. */
function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
