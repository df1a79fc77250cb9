// The conditions of a bridge: what its routes, certificates and clients say now, with what they said of late.
import type { CertificateExpiries } from '../metrics/certificate-metrics.ts';
import type { RouteBrief } from '../routes/route-status.ts';
import { type Condition, certificateConditions, routeConditions } from './condition.ts';
import { RecentGrowth } from './recent-growth.ts';

export interface ConditionsOptions {
  readonly routes: readonly { brief(): RouteBrief }[];
  readonly certificates: () => CertificateExpiries;
}

export class Conditions {
  readonly #options: ConditionsOptions;
  readonly #growth: readonly { readonly quarantined: RecentGrowth; readonly lost: RecentGrowth }[];

  constructor(options: ConditionsOptions) {
    this.#options = options;
    this.#growth = options.routes.map(() => ({
      quarantined: new RecentGrowth(),
      lost: new RecentGrowth(),
    }));
  }

  /** As they are now. It costs a few numbers for each route: it may be asked every second, by several. */
  now(nowMs = Date.now()): Condition[] {
    const { routes, certificates } = this.#options;
    const ofRoutes = routes.flatMap((route, index) => {
      const brief = route.brief();
      const growth = this.#growth[index];
      const recent = {
        quarantined: growth?.quarantined.look(brief.quarantinedMessages, nowMs),
        lost: growth?.lost.look(brief.lostSessions, nowMs),
      };
      return routeConditions(brief, recent, nowMs);
    });
    return [...ofRoutes, ...certificateConditions(certificates(), nowMs)];
  }
}
