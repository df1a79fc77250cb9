// Every endpoint of the api, put together from the table and the bridge: on Lambda and on one machine alike.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BrokerRules } from '../contract/broker-rules.ts';
import { createStoredMessages } from '../reading/stored-messages.ts';
import { createTokenStore } from './access/tokens.ts';
import {
  type BridgeOptions,
  createDeliver,
  createReplay,
  createRouteControl,
  createWaitingTraces,
  createWakeReplays,
} from './bridge-client/bridge-client.ts';
import { commandEndpoints } from './commands/endpoints.ts';
import { createCommands } from './commands/service.ts';
import { createDeadLetters } from './dead-letters/dead-letter-store.ts';
import { deadLetterEndpoints } from './dead-letters/endpoints.ts';
import { type CursorSecret, createCursors } from './interface/cursor.ts';
import type { Endpoint } from './interface/operation.ts';
import { type LiveEndpointOptions, liveEndpoints } from './live/endpoints.ts';
import { createLive, type LiveOptions } from './live/live.ts';
import { Readers, readerLimits } from './live/readers.ts';
import { messageEndpoints } from './messages/endpoints.ts';
import { createReader } from './messages/reader.ts';
import { createRemoveMessages } from './messages/removal.ts';
import { removalEndpoint } from './messages/removal-endpoint.ts';
import { seriesEndpoint } from './messages/series-endpoint.ts';
import { presenceEndpoints } from './presence/endpoints.ts';
import { createPresenceReader } from './presence/reader.ts';
import { replayEndpoints } from './replays/endpoints.ts';
import { createReplays } from './replays/replay-store.ts';
import { routeEndpoints } from './routes/endpoints.ts';
import { routeHistoryEndpoints } from './routes/history-endpoints.ts';
import { previewEndpoint } from './routes/preview-endpoint.ts';
import { stateEndpoint } from './states/endpoints.ts';
import { tokenEndpoints } from './tokens/endpoints.ts';
import { traceEndpoints } from './traces/endpoints.ts';
import { createTraceReader } from './traces/reader.ts';

export interface EndpointsOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** As ingest writes with, at least. */
  readonly writeShards: number;
  readonly bridge: BridgeOptions;
  /** All instances have it in common. */
  readonly cursorSecret: CursorSecret;
  /** Where devices answer commands that name no response topic. */
  readonly replyTopic?: string | undefined;
  /** What the broker does not take; the rules of MQTT alone by default. */
  readonly brokerRules?: BrokerRules | undefined;
  /** Live messages: whether an answer may stay open, how often ingest looks whether somebody watches, and what ends all. */
  readonly live: Pick<LiveEndpointOptions, 'streams' | 'signal'> & Pick<LiveOptions, 'checkMs'>;
  /** Told of failures that nobody should see in an answer. */
  readonly onError: (error: Error) => void;
}

export function createEndpoints(options: EndpointsOptions): Endpoint[] {
  const { client, tableName, writeShards, bridge, replyTopic, brokerRules, onError } = options;
  const database = { client, tableName };
  const cursors = createCursors(options.cursorSecret);
  const routes = createRouteControl(bridge);
  const commands = createCommands({
    ...database,
    deliver: createDeliver(bridge),
    onError,
    ...(replyTopic !== undefined && { replyTopic }),
    brokerRules,
  });
  const deadLetters = createDeadLetters({ ...database, replay: createReplay(bridge) });
  const replays = createReplays({ ...database, wake: createWakeReplays(bridge) });
  const presence = createPresenceReader(database);
  const readers = new Readers(readerLimits);
  const { streams, signal } = options.live;
  const traces = createTraceReader({ ...database, waiting: createWaitingTraces(bridge) });
  return [
    ...messageEndpoints(createReader({ ...database, writeShards }), cursors),
    seriesEndpoint(createStoredMessages({ ...database, writeShards }), cursors),
    ...liveEndpoints({
      live: createLive({
        ...database,
        checkMs: options.live.checkMs,
        catchesUp: !streams,
      }),
      readers,
      streams,
      signal,
      onError,
    }),
    stateEndpoint({ routes, commands, presence, readers, streams, signal, onError }),
    removalEndpoint(createRemoveMessages({ ...database, writeShards })),
    ...traceEndpoints(traces, routes),
    ...commandEndpoints(commands, cursors),
    ...presenceEndpoints(presence, cursors),
    ...deadLetterEndpoints(deadLetters, cursors),
    ...replayEndpoints(replays, cursors),
    ...routeEndpoints(routes),
    ...routeHistoryEndpoints(routes),
    previewEndpoint(routes, createStoredMessages({ ...database, writeShards })),
    ...tokenEndpoints(createTokenStore(database)),
  ];
}
