// What is wrong now that somebody should know of: from what routes and certificates say. Pure.
import type { AlertKind } from '../config/alerts.ts';
import type { CertificateExpiries } from '../metrics/certificate-metrics.ts';
import { statusOf } from '../routes/route-cure.ts';
import type { RouteBrief } from '../routes/route-status.ts';
import type { Recently } from './recent-growth.ts';

export interface Condition {
  readonly kind: AlertKind;
  /** What it is about: the route, the client id, or whose certificate. With the kind it is unique. */
  readonly subject: string;
  readonly reason: string;
  /** HTTP status of the handler's answer, where there was one. */
  readonly status?: number;
  /** Since when, in ms since 1970; where nobody says it, since it was first seen. */
  readonly sinceMs?: number;
}

/** Of a route; `quarantined` and `lost` are what came of late. */
export function routeConditions(
  route: RouteBrief,
  {
    quarantined,
    lost,
  }: { readonly quarantined?: Recently | undefined; readonly lost?: Recently | undefined },
  nowMs: number,
): Condition[] {
  const { name: subject, state, reason = 'no reason is known', since, lastError } = route;
  const conditions: Condition[] = [];
  if (state === 'holding') {
    const status = statusOf(reason, lastError);
    const sinceMs = nowMs - route.holdingMs;
    conditions.push({
      kind: state,
      subject,
      reason,
      sinceMs,
      ...(status !== undefined && { status }),
    });
  }
  if (state === 'disabled')
    conditions.push({
      kind: state,
      subject,
      reason,
      ...(since !== undefined && { sinceMs: Date.parse(since) }),
    });
  if (state === 'disconnected') conditions.push({ kind: state, subject, reason });
  if (quarantined !== undefined)
    conditions.push({
      kind: 'dead-letters',
      subject,
      reason: `${quarantined.count} of its messages became dead letters`,
      sinceMs: quarantined.sinceMs,
    });
  if (lost !== undefined)
    conditions.push({
      kind: 'session-lost',
      subject,
      reason: 'the broker no longer had a session, nor what it kept for it',
      sinceMs: lost.sinceMs,
    });
  return conditions;
}

const dayMs = 86_400_000;
/** As the alarm on AWS has it. */
export const certificateDays = 14;

export function certificateConditions(expiries: CertificateExpiries, nowMs: number): Condition[] {
  return Object.entries(expiries)
    .filter(([, expiryMs]) => expiryMs - nowMs <= certificateDays * dayMs)
    .map(([role, expiryMs]) => ({
      kind: 'certificate',
      subject: role,
      reason: `${expiryMs > nowMs ? 'expires' : 'expired'} on ${new Date(expiryMs).toISOString()}`,
      // The same for every bridge, and over restarts.
      sinceMs: expiryMs - certificateDays * dayMs,
    }));
}
