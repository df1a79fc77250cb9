// Every endpoint of the api, put together from the table and the bridge: on Lambda and on one machine alike.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BrokerRules } from '../contract/broker-rules.ts';
import {
  type BridgeOptions,
  createDeliver,
  createReplay,
  createRouteControl,
  createWaitingTraces,
  createWakeReplays,
} from './bridge.ts';
import { commandEndpoints } from './commands/endpoints.ts';
import { createCommands } from './commands/service.ts';
import { deadLetterEndpoints } from './dead-letters/endpoints.ts';
import { createDeadLetters } from './dead-letters/store.ts';
import { createCursors } from './interface/cursor.ts';
import type { Endpoint } from './interface/operation.ts';
import { messageEndpoints } from './messages/endpoints.ts';
import { createReader } from './messages/reader.ts';
import { presenceEndpoints } from './presence/endpoints.ts';
import { createPresenceReader } from './presence/reader.ts';
import { replayEndpoints } from './replays/endpoints.ts';
import { createReplays } from './replays/store.ts';
import { routeEndpoints } from './routes/endpoints.ts';
import { traceEndpoints } from './traces/endpoints.ts';
import { createTraceReader } from './traces/reader.ts';

export interface EndpointsOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** As ingest writes with, at least. */
  readonly writeShards: number;
  readonly bridge: BridgeOptions;
  /** Secret of the cursors, of at least 16 bytes: all instances have it in common. */
  readonly cursorSecret: string;
  /** Where devices answer commands that name no response topic. */
  readonly replyTopic?: string | undefined;
  /** What the broker does not take; the rules of MQTT alone by default. */
  readonly brokerRules?: BrokerRules | undefined;
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
  const traces = createTraceReader({ ...database, waiting: createWaitingTraces(bridge) });
  return [
    ...messageEndpoints(createReader({ ...database, writeShards }), cursors),
    ...traceEndpoints(traces, routes),
    ...commandEndpoints(commands, cursors),
    ...presenceEndpoints(createPresenceReader(database), cursors),
    ...deadLetterEndpoints(deadLetters, cursors),
    ...replayEndpoints(replays, cursors),
    ...routeEndpoints(routes),
  ];
}
