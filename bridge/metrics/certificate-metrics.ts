// When certificates expire, as numbers: for Prometheus, and for the lines in the log.
import { Gauge, type Registry } from 'prom-client';
import type { CertificateRole } from '../connection/certificate-expiry.ts';

/** When the first certificate of each kind expires: milliseconds since 1970. */
export type CertificateExpiries = Partial<Record<CertificateRole, number>>;

export function registerCertificates(
  registers: Registry[],
  expiries: () => CertificateExpiries,
): void {
  new Gauge({
    name: 'causeway_certificate_expiry_timestamp_seconds',
    help: 'When the first certificate expires: of the broker, of the bridge (client), of the CA in the config',
    labelNames: ['certificate'],
    registers,
    collect() {
      this.reset();
      for (const [certificate, expiryMs] of Object.entries(expiries()))
        this.set({ certificate }, expiryMs / 1000);
    },
  });
}

/** Whole days until the first of them expires, negative after it; undefined without certificates. */
export function daysLeft(expiries: CertificateExpiries, nowMs: number): number | undefined {
  const first = Math.min(...Object.values(expiries));
  return Number.isFinite(first) ? Math.floor((first - nowMs) / 86_400_000) : undefined;
}
