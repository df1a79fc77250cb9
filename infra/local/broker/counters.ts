// What the broker counts: above all everything that it refused, dropped or cut off.

export interface Counters {
  /** CONNECTs accepted. */
  connected: number;
  /** Connections closed at once, over `maxConnections` or `maxConnectionsPerAddress`. */
  connectionsOverLimit: number;
  /** WebSocket upgrades refused for their path or Origin. */
  webSocketsRefused: number;
  /** CONNECTs refused, by CONNACK code. */
  refusedClientId: number;
  refusedUnavailable: number;
  refusedPassword: number;
  refusedNotAuthorized: number;
  /** Connections closed for packets over `maxPacketBytes`, or for lengths that are none. */
  packetsTooLarge: number;
  /** Connections closed for anything else that breaks the protocol or a limit. */
  protocolErrors: number;
  /** Connections closed as `stalledTimeoutMs` passed without the client reading. */
  stalled: number;
  keepAliveTimeouts: number;
  /** Connections closed for a PUBLISH without the right to. */
  publishesNotAuthorized: number;
  /** Filters answered with SUBACK 0x80. */
  subscriptionsRefused: number;
  messagesReceived: number;
  /** QoS 1 and 2 messages that a session lost to a full queue. */
  droppedQueueFull: number;
  /** QoS 0 messages that a client lost because it did not read. */
  droppedSlow: number;
  /** Messages that were delivered but not retained, over the limits of retained messages. */
  retainedOverLimit: number;
  sessionsExpired: number;
}

export function createCounters(): Counters {
  return {
    connected: 0,
    connectionsOverLimit: 0,
    webSocketsRefused: 0,
    refusedClientId: 0,
    refusedUnavailable: 0,
    refusedPassword: 0,
    refusedNotAuthorized: 0,
    packetsTooLarge: 0,
    protocolErrors: 0,
    stalled: 0,
    keepAliveTimeouts: 0,
    publishesNotAuthorized: 0,
    subscriptionsRefused: 0,
    messagesReceived: 0,
    droppedQueueFull: 0,
    droppedSlow: 0,
    retainedOverLimit: 0,
    sessionsExpired: 0,
  };
}
