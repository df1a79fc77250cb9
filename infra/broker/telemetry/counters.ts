// What the broker counts: above all everything that it refused, dropped or cut off.

/** Each with what it counts. */
export const counterMeanings = {
  connected: 'CONNECTs accepted',
  connectionsOverLimit:
    'Connections closed at once, over maxConnections or maxConnectionsPerAddress',
  webSocketsRefused: 'WebSocket upgrades refused for their path, protocol or Origin',
  refusedClientId: 'CONNECTs refused for their client id (CONNACK 2)',
  refusedUnavailable:
    'CONNECTs refused for want of room, or by a validator that failed (CONNACK 3)',
  loginsLimited:
    'Of these, logins that were not looked at, as too many wrong passwords came from their address',
  refusedPassword: 'CONNECTs refused for a bad user or password (CONNACK 4)',
  refusedNotAuthorized: 'CONNECTs refused as not authorized (CONNACK 5)',
  packetsTooLarge:
    'Connections closed for packets over maxPacketBytes, or for lengths that are none',
  packetsTooSlow:
    'Connections closed for a packet that had not come whole, as all of those took too much memory',
  protocolErrors: 'Connections closed for anything else that breaks the protocol or a limit',
  stalled: 'Connections closed as stalledTimeoutMs passed without the client reading',
  keepAliveTimeouts: 'Connections closed as nothing came for one and a half times the keep-alive',
  publishesNotAuthorized: 'Connections closed for a PUBLISH without the right to',
  subscriptionsRefused: 'Filters answered with SUBACK 0x80',
  messagesReceived: 'Messages that came from clients',
  droppedQueueFull: 'QoS 1 and 2 messages that a session lost to a full queue',
  droppedSlow: 'QoS 0 messages that a client lost because it did not read',
  droppedTooLarge: 'Messages that a client lost because it takes no packets so large',
  messagesExpired: 'QoS 1 and 2 messages whose expiry interval passed before they were sent',
  retainedOverLimit:
    'Retained messages over their limits: at QoS 0 delivered and not retained, above that the connection is closed',
  sessionsExpired: 'Kept sessions that ended as their client was away for too long',
  validatorErrors: 'CONNECTs for which the connection validator failed; they are refused too',
  filesUnusable: 'Changes of the users file or the certificate that could not be used',
} as const;

export type Counters = Record<keyof typeof counterMeanings, number>;

export function createCounters(): Counters {
  const names = Object.keys(counterMeanings) as (keyof Counters)[];
  return Object.fromEntries(names.map((name) => [name, 0])) as Counters;
}
