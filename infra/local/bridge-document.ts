// The bridge's document on one machine: those routes of the config that run here, and ingest in this process. Pure.
import { join } from 'node:path';
import type { BridgeConfigInput } from '../../bridge/config/config.ts';
import { bridgeDocument } from '../config/bridge-document.ts';
import type { CausewayConfig } from '../config/config.ts';
import { embeddedPresence, presenceRoutes } from '../config/presence-routes.ts';

/** What of the config has a meaning on one machine. */
export type LocalConfig = Pick<
  CausewayConfig,
  | 'broker'
  | 'routes'
  | 'presence'
  | 'retentionDays'
  | 'deadLetters'
  | 'writeShards'
  | 'api'
  | 'push'
  | 'alerts'
  | 'bridge'
>;

export interface LocalWiring {
  /** What the document says of the broker that is used. */
  readonly broker: BridgeConfigInput['broker'];
  /** Whether it is the embedded one, which always tells who is online. */
  readonly isEmbedded: boolean;
  /**
   * Whether routes with a handler of their own run here, and alerts are sent, too. Else they are left out: a message that a developer sends
   * to the embedded broker should not reach anybody's endpoint by surprise.
   */
  readonly webhooks: boolean;
  /** Routes of this start beside those of the config, as the document has them. */
  readonly ownRoutes?: readonly object[];
  readonly ingestUrl: string;
  /** Standard Webhooks secret that ingest asks for. */
  readonly secret: string;
  readonly bridgeToken: string;
  readonly tableName: string;
  /** Of all that is kept on this machine. */
  readonly folder: string;
}

export function localBridgeDocument(config: LocalConfig, wiring: LocalWiring) {
  const { broker, isEmbedded, webhooks, ingestUrl, secret, bridgeToken, tableName, folder } =
    wiring;
  const presence = isEmbedded ? embeddedPresence : config.presence;
  const { receiveMaximum } = config.broker;
  const alerts = webhooks ? config.alerts : undefined;
  const document = bridgeDocument(
    { ...config, alerts },
    {
      broker,
      http: { port: 0, token: bridgeToken },
      routes: [
        ...config.routes.filter(({ handler }) => handler === undefined || webhooks),
        ...presenceRoutes(presence, { profile: broker.profile, receiveMaximum }, alerts),
      ],
      ingest: { url: `${ingestUrl}/`, allowPrivate: true, secret },
      tableName,
      leaseTable: undefined,
      leaseSeconds: undefined,
      quarantineFolder: join(folder, 'bridge'),
      // The broker and the handler are in this process: there is little to wait for.
      drainTimeoutMs: 1500,
    },
  );
  return { ...document, routes: [...(wiring.ownRoutes ?? []), ...document.routes] };
}
