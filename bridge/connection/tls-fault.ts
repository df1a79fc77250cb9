// Why TLS did not come about, in words: which certificate, and what is wrong with it. Pure; knows the codes of Node
// and the alerts of RFC 8446.
import type { X509Certificate } from 'node:crypto';
import {
  certificateText,
  notAfterMs,
  notBeforeMs,
  oneLine,
  type SeenTls,
  timeText,
} from './certificates.ts';
import type { OwnCertificates, TlsMaterial } from './tls-material.ts';

/** A try to connect that has ended before CONNACK. */
export interface FailedTry {
  readonly seen: Readonly<SeenTls>;
  readonly material: TlsMaterial;
  /** The name that the broker's certificate has to be for. */
  readonly serverName: string;
  readonly nowMs: number;
}

/** An error of Node; undefined where the broker closed without one. */
export type TlsError = { readonly code?: unknown; readonly message: string } | undefined;

/** What a broker says in an alert about the certificate that it got [RFC 8446, 6.2]. */
const certificateAlerts: Readonly<Record<number, string>> = {
  42: 'it says that it is broken or not signed rightly (bad_certificate)',
  43: 'it does not take this kind (unsupported_certificate)',
  44: 'it says that it was revoked (certificate_revoked)',
  45: 'it says that it has expired, or is not valid yet (certificate_expired)',
  46: 'it does not say why (certificate_unknown)',
  48: 'it does not know its CA (unknown_ca)',
  49: 'it grants no access with it (access_denied)',
  51: 'its signature could not be verified (decrypt_error)',
};

/** Why the try ended, or undefined where it was not for TLS. */
export function tlsFault(error: TlsError, tls: FailedTry): string | undefined {
  const code = typeof error?.code === 'string' ? error.code : '';
  const message = error?.message ?? '';
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  if (alert !== undefined) return alertFault(Number(alert), tls);
  if (/unsupported protocol/.test(message)) return oldVersionFault;
  if (/wrong version number|packet length too long|http request/.test(message)) return noTlsFault;
  if (error === undefined || code === 'ECONNRESET' || code === 'EPIPE') return closedFault(tls);
  const [leaf] = tls.seen.chain;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return nameFault(leaf, tls.serverName);
  return chainFault(code, message, tls);
}

const oldVersionFault =
  'the broker has TLS 1.1 or older only, which is broken and not used: it needs TLS 1.2 or 1.3';
const noTlsFault = 'what answers at this port does not speak TLS: it may be the one for mqtt or ws';

function alertFault(alert: number, { material: { client }, serverName }: FailedTry): string {
  const reason = certificateAlerts[alert];
  if (reason !== undefined && client !== undefined)
    return `the broker refused ${clientText(client)}: ${reason}`;
  if (alert === 116 && client === undefined) return noClientCertificate;
  if (alert === 40 && client === undefined)
    return `the broker ended the TLS handshake (handshake_failure): ${mayAsk}`;
  // What OpenSSL sends when no version fits, although we have offered 1.2 and 1.3.
  if (alert === 70) return oldVersionFault;
  if (alert === 112) return `the broker has no certificate for the name ${serverName}`;
  if (alert === 120) return 'the broker speaks none of broker.alpnProtocols';
  return `the broker ended the TLS handshake with alert ${alert}`;
}

const mayAsk = 'it may ask for a client certificate, and none is configured';
const noClientCertificate = 'the broker asks for a client certificate, and none is configured';

/** The broker closed: Node's servers, and proxies, do so instead of sending an alert. */
function closedFault({ seen: { isSecure }, material: { client }, nowMs }: FailedTry): string {
  const refused =
    client && `it may have refused ${clientText(client)}${validityHint(client, nowMs)}`;
  if (isSecure) return `the broker closed the connection before CONNACK: ${refused ?? mayAsk}`;
  const start = 'the broker closed the connection during the TLS handshake: ';
  return `${start}there may be no TLS at this port${refused === undefined ? '' : `, or ${refused}`}`;
}

function clientText({ certificates: [certificate], source }: OwnCertificates): string {
  const name = certificate === undefined ? '' : ` (${certificateText(certificate)})`;
  return `the client certificate in ${source}${name}`;
}

function validityHint({ certificates: [certificate] }: OwnCertificates, nowMs: number): string {
  const fault = certificate && validityFault(certificate, nowMs);
  return fault === undefined ? '' : `, which ${fault}`;
}

function validityFault(certificate: X509Certificate, nowMs: number): string | undefined {
  if (nowMs > notAfterMs(certificate)) return `expired on ${timeText(notAfterMs(certificate))}`;
  if (nowMs < notBeforeMs(certificate))
    return `is not valid before ${timeText(notBeforeMs(certificate))}`;
  return undefined;
}

function nameFault(leaf: X509Certificate | undefined, serverName: string): string {
  const names = leaf?.subjectAltName;
  // `DNS:a.example, IP Address:10.0.0.1`
  const held = names === undefined ? 'no name at all' : oneLine(names.replaceAll(/\bDNS:/g, ''));
  return `${brokerText(leaf)} is for ${held}, not for ${serverName}: set broker.serverName if it is the right broker`;
}

const brokerText = (leaf: X509Certificate | undefined) =>
  leaf === undefined
    ? "the broker's certificate"
    : `the broker's certificate (${certificateText(leaf)})`;

/** The code with which OpenSSL refuses a chain [openssl-verify]. */
function chainFault(code: string, message: string, tls: FailedTry): string | undefined {
  const [leaf] = tls.seen.chain;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return chainValidityFault(tls) ?? `${brokerText(leaf)} is not accepted: ${message}`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return `${brokerText(leaf)} is not ${trustedText(tls.material.ca)}`;
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'CERT_SIGNATURE_FAILURE':
      return unknownCaFault(tls);
    default:
      // Others are about the network, which says enough itself.
      return /^CERT_|^INVALID_|^PATH_LENGTH_|^HOSTNAME_/.test(code)
        ? `${brokerText(leaf)} is not accepted: ${message}`
        : undefined;
  }
}

function chainValidityFault({ seen, material, nowMs }: FailedTry): string | undefined {
  const { ca } = material;
  for (const [index, certificate] of seen.chain.entries()) {
    const fault = validityFault(certificate, nowMs);
    if (fault === undefined) continue;
    if (index === 0) return `${brokerText(certificate)} ${fault}`;
    const name = certificateText(certificate);
    return ca?.certificates.some(
      ({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256,
    )
      ? `the CA certificate in ${ca.source} (${name}) ${fault}`
      : `a certificate that the broker's leads to (${name}) ${fault}`;
  }
  return undefined;
}

function unknownCaFault({ seen: { chain }, material: { ca } }: FailedTry): string {
  const [leaf] = chain;
  const last = chain.at(-1);
  if (last === undefined) return `${brokerText(leaf)} is of a CA that is not ${trustedText(ca)}`;
  const issuer = oneLine(last.issuer);
  // A new one under the old name.
  const namesake = ca?.certificates.some(({ subject }) => subject === last.issuer);
  if (ca !== undefined && namesake && !isTrusted(ca, last))
    return `${brokerText(leaf)} leads to the CA ${issuer}, but not to the one of that name in ${ca.source}: its key is another`;
  return `${brokerText(leaf)} leads to the CA ${issuer}, which is not ${trustedText(ca)}`;
}

function isTrusted({ certificates }: OwnCertificates, { fingerprint256 }: X509Certificate) {
  return certificates.some((certificate) => certificate.fingerprint256 === fingerprint256);
}

function trustedText(ca: OwnCertificates | undefined): string {
  return ca === undefined
    ? 'known to Node.js: name it in broker.caFile, broker.caSecret or NODE_EXTRA_CA_CERTS'
    : `in ${ca.source}`;
}
