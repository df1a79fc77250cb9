// When the certificates of the bridge's connections expire: for the metrics, and as a warning in time.
import type { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import { certificateText, isSelfIssued, notAfterMs, timeText } from './certificates.ts';
import type { TlsMaterial } from './tls-material.ts';

/** The broker's certificate or one between it and its CA; the client certificate; the CA that the config names. */
export type CertificateRole = 'broker' | 'client' | 'ca';

export interface CertificateInUse {
  readonly role: CertificateRole;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** Subject and issuer. */
  readonly name: string;
  readonly notAfterMs: number;
}

const dayMs = 86_400_000;
/** A warning comes so long before. */
export const warningMs = 30 * dayMs;

/** What a connection rests on. Of the CAs in the config's file those count that lead to the broker. */
export function certificatesInUse(
  chain: readonly X509Certificate[],
  { ca, client }: TlsMaterial,
): CertificateInUse[] {
  const named = new Set(ca?.certificates.map(({ fingerprint256 }) => fingerprint256));
  const ofBroker = chain.flatMap((certificate, index) => {
    if (index > 0 && named.has(certificate.fingerprint256)) return [inUse('ca', certificate)];
    // A public CA's root comes with Node.js, and goes with it.
    return index > 0 && isSelfIssued(certificate) ? [] : [inUse('broker', certificate)];
  });
  const ofClient = client?.certificates.map((certificate) => inUse('client', certificate)) ?? [];
  return [...ofBroker, ...ofClient];
}

function inUse(role: CertificateRole, certificate: X509Certificate): CertificateInUse {
  return {
    role,
    fingerprint: certificate.fingerprint256,
    name: certificateText(certificate),
    notAfterMs: notAfterMs(certificate),
  };
}

/** Those of which a warning is due: it expires soon, and has had none on this day (UTC). */
export function dueWarnings(
  certificates: readonly CertificateInUse[],
  warnedAtMs: ReadonlyMap<string, number>,
  nowMs: number,
): CertificateInUse[] {
  const today = Math.floor(nowMs / dayMs);
  return certificates.filter((certificate) => {
    const lastMs = warnedAtMs.get(certificate.fingerprint);
    const isNew = lastMs === undefined || Math.floor(lastMs / dayMs) < today;
    return isNew && certificate.notAfterMs - nowMs <= warningMs;
  });
}

/** The certificates of all connections of a bridge. */
export class CertificateExpiry {
  readonly #log: Logger;
  /** Those of a connection stay until its successor has some, so that a broker that is away hides nothing. */
  readonly #inUse = new Map<string, readonly CertificateInUse[]>();
  readonly #warnedAtMs = new Map<string, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Looks at a new connection's certificates, now and once a day; what it returns ends that. */
  follow(clientId: string, certificates: readonly CertificateInUse[]): () => void {
    if (certificates.length === 0) return () => {};
    this.#inUse.set(clientId, certificates);
    this.#warn(certificates);
    const timer = setInterval(() => this.#warn(certificates), dayMs).unref();
    return () => clearInterval(timer);
  }

  /** When the first certificate of each role expires, in milliseconds since 1970. */
  firstMs(): Partial<Record<CertificateRole, number>> {
    const first: Partial<Record<CertificateRole, number>> = {};
    for (const { role, notAfterMs } of [...this.#inUse.values()].flat())
      first[role] = Math.min(first[role] ?? notAfterMs, notAfterMs);
    return first;
  }

  #warn(certificates: readonly CertificateInUse[]): void {
    const nowMs = Date.now();
    for (const [fingerprint, atMs] of this.#warnedAtMs)
      if (nowMs - atMs > dayMs) this.#warnedAtMs.delete(fingerprint);
    for (const { role, fingerprint, name, notAfterMs } of dueWarnings(
      certificates,
      this.#warnedAtMs,
      nowMs,
    )) {
      this.#warnedAtMs.set(fingerprint, nowMs);
      this.#log.warn(
        {
          condition: 'certificate',
          certificate: role,
          name,
          expiresAt: timeText(notAfterMs),
          daysLeft: Math.floor((notAfterMs - nowMs) / dayMs),
        },
        'a certificate expires soon: renew it',
      );
    }
  }
}
