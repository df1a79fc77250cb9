// What to do about a condition, in words: for the terminal and for alerts. Pure.
import { handlerCure } from '../handler/handler-cure.ts';
import { routeCure } from '../routes/route-cure.ts';
import type { Condition } from './condition.ts';

/** One sentence or two, for a person. */
export function cureOf(condition: Condition): string {
  const { kind, subject } = condition;
  switch (kind) {
    case 'holding':
      return `${handlerCure(condition.status, condition.reason)} Nothing is lost: the broker keeps the messages, and the bridge goes on by itself; POST /v1/routes/${subject}/retry makes it try now.`;
    case 'disabled':
      return `${routeCure({ state: kind })} That is POST /v1/routes/${subject}/resume.`;
    case 'disconnected':
      return routeCure({ state: kind }) ?? '';
    case 'dead-letters':
      return 'GET /v1/dead-letters gives the reasons. Mend the handler or the device, then replay or delete them.';
    case 'session-lost':
      return 'Look at the broker: a restart without persistence, or a session expiry that is too short (broker.sessionExpirySeconds).';
    case 'certificate':
      return 'Renew it at the broker, or in its secret and restart the bridge.';
    case 'client-offline':
      return 'Look at the device, its power and its network.';
  }
}
