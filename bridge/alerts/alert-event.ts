// An alert as it is sent: a CloudEvent in JSON, with an id that is the same for the same thing. Pure.
import { createHash } from 'node:crypto';
import type { AlertKind } from '../config/alerts.ts';
import type { Change } from './condition-watch.ts';
import { cureOf } from './cure.ts';

/** Type of the events. */
export const alertEventType = 'causeway.alert.v1';

export interface Alert {
  readonly id: string;
  readonly alert: AlertKind;
  readonly subject: string;
  readonly body: Buffer;
}

/** `source` is the URI of broker and deployment. Undefined for what nobody needs to be told. */
export function alertOf(change: Change, source: string): Alert | undefined {
  const { kind, condition, sinceMs, atMs } = change;
  const { kind: alert, subject, reason, status } = condition;
  if (kind === 'changed') return undefined;
  // What was lost does not come back.
  if (kind === 'ended' && alert === 'session-lost') return undefined;
  const state = kind === 'began' ? 'began' : 'recovered';
  const id = idOf([source, alert, subject, sinceMs, state]);
  const event = {
    specversion: '1.0',
    type: alertEventType,
    id,
    source,
    subject,
    time: new Date(atMs).toISOString(),
    datacontenttype: 'application/json',
    data: {
      alert,
      state,
      subject,
      since: new Date(sinceMs).toISOString(),
      ...(state === 'began'
        ? { reason, ...(status !== undefined && { status }), action: cureOf(condition) }
        : { lastedSeconds: Math.round((atMs - sinceMs) / 1000) }),
    },
  };
  return { id, alert, subject, body: Buffer.from(JSON.stringify(event)) };
}

/** So a receiver drops what several bridges, or one after a restart, tell of the same thing. */
function idOf(parts: readonly (string | number)[]): string {
  return `alert_${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`;
}
