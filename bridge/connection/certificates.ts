// Certificates as X.509 has them: read from PEM and from a TLS socket, and named in words.
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** More certificates than any chain has: what the broker shows beyond is not looked at. */
const maxChainLength = 10;
/** More than a bundle of all public CAs has. */
const maxCertificates = 1000;
const maxNameLength = 200;

/** The certificates of a PEM text, in their order. Throws where a block is no certificate. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.slice(0, maxCertificates).map((block) => new X509Certificate(block));
}

/** Whether issuer and subject are the same, as in a root, or in a certificate that somebody made for himself. */
export function isSelfIssued({ subject, issuer }: X509Certificate): boolean {
  return subject === issuer;
}

/** Subject and issuer, such as `CN=broker, issued by CN=authority`. */
export function certificateText(certificate: X509Certificate): string {
  const issuer = isSelfIssued(certificate)
    ? 'self-signed'
    : `issued by ${oneLine(certificate.issuer)}`;
  return `${subjectText(certificate)}, ${issuer}`;
}

/** The subject; where it is empty, as public CAs leave it now, the names that the certificate is for. */
function subjectText({ subject, subjectAltName, serialNumber }: X509Certificate): string {
  return oneLine(subject || subjectAltName || `serial number ${serialNumber}`);
}

/** A name of X.509 in one line; others choose it, so it is cut. */
export function oneLine(name: string): string {
  const line = name.split('\n').join(', ');
  return line.length > maxNameLength ? `${line.slice(0, maxNameLength)}…` : line;
}

/** Such as `2026-11-23T08:00:00Z`. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, '');
}

export function notBeforeMs({ validFrom }: X509Certificate): number {
  return Date.parse(validFrom);
}

export function notAfterMs({ validTo }: X509Certificate): number {
  return Date.parse(validTo);
}

/** What has been seen of a TLS connection. */
export interface SeenTls {
  /** The broker's certificates, its own first, up to the root where that is known; empty before they came. */
  chain: readonly X509Certificate[];
  /** The handshake is over, and the broker is trusted. */
  isSecure: boolean;
}

/** Watches the handshake on a socket that was made just now. */
export function watchHandshake(socket: TLSSocket): SeenTls {
  const seen: SeenTls = { chain: [], isSecure: false };
  // Node's own listener on `secure` destroys the socket when it does not trust the broker, and the certificates are
  // gone with it: so before that. The event is not documented; without it an error names no certificate.
  socket.prependOnceListener('secure', () => {
    seen.chain = chainOf(socket.getPeerCertificate(true));
  });
  socket.once('secureConnect', () => {
    seen.isSecure = true;
  });
  return seen;
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  // An empty object where there is no certificate, and a circle where there is a root.
  let next: Partial<DetailedPeerCertificate> | undefined = leaf;
  while (next?.raw !== undefined && chain.length < maxChainLength) {
    const certificate: X509Certificate = new X509Certificate(next.raw);
    if (chain.at(-1)?.fingerprint256 === certificate.fingerprint256) break;
    chain.push(certificate);
    next = next.issuerCertificate;
  }
  return chain;
}
