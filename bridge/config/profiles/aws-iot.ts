// AWS IoT Core. Figures: AWS General Reference, "AWS IoT Core endpoints and quotas", sections "Message broker limits
// and quotas" and "Protocol limits and quotas"; the rest: AWS IoT Core Developer Guide, pages "MQTT", "Device
// communication protocols", "Reserved topics" and "Lifecycle events".
import type { Profile } from './profile.ts';

export const awsIot: Profile = {
  defaults: {
    // Without it, on MQTT 3.1.1, a session is kept for as long as the account says: one hour at first.
    protocolVersion: 5,
    keepaliveSeconds: 30,
    sessionExpirySeconds: 7 * 86_400,
  },
  limits: {
    // Outside of it the broker takes the nearest value, and its timer is no longer the one that we reckon with.
    minKeepaliveSeconds: 30,
    maxKeepaliveSeconds: 1200,
    maxSessionExpirySeconds: 7 * 86_400,
    // "Maximum outbound unacknowledged publish requests" and "Maximum inbound …", each for one client.
    maxWindow: 100,
    maxPublishWindow: 100,
    maxSubscriptions: 50,
    // Inbound and outbound together; what is above them is discarded, and never acknowledged.
    publishesPerSecond: 100,
    bytesPerSecond: 512 * 1024,
    // "Maximum retry interval for delivering QoS 1 messages": one hour, then a message is dropped.
    unacknowledgedMs: 3_600_000,
    // "Client ID size": 128 bytes of UTF-8.
    maxClientIdBytes: 128,
    // "Connect requests per second per client ID": 1.
    minReconnectMs: 1000,
  },
  rules: {
    // "MQTT": QoS 0 and 1; a publish at QoS 2 gets neither PUBACK nor PUBREC.
    maxQoS: 1,
    retain: true,
    // "Reserved topics": a publish with RETAIN is refused.
    unretainedPrefixes: ['$aws/'],
    maxPayloadBytes: 128 * 1024,
    maxTopicBytes: 256,
    // 7 slashes. Basic Ingest: its first three levels count for neither limit.
    maxTopicLevels: 8,
    uncountedPrefix: '$aws/rules/{rule}/',
    // "Reserved topics": others with $ end the connection.
    publishPrefixes: ['$aws/'],
    subscribePrefixes: ['$aws/'],
    sharedSubscriptions: true,
    replies: [],
  },
  presence: {
    kind: 'aws-iot',
    // A client id can have slashes. Not `presence/#`: anybody can make as many `connect_failed` as he likes.
    filters: ['$aws/events/presence/connected/#', '$aws/events/presence/disconnected/#'],
  },
  // "Protocols, port mappings, and authentication": X.509 client certificates at port 443.
  alpn: { port: 443, protocol: 'x-amzn-mqtt-ca' },
};
