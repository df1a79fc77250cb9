// An AWS IoT Core for the tests, on loopback: both ways in, its sessions and lifecycle events, and a list of every
// time that a client broke one of its documented rules.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { IPublishPacket } from 'mqtt-packet';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { awsIotCertificates } from './aws-iot-certificates.ts';
import { AwsIotConnection, type DisconnectReason } from './aws-iot-connection.ts';
import { filterMatches, isAllowed, type PolicyStatement, quotas, Rate } from './aws-iot-rules.ts';
import { AwsIotSession, type Outgoing } from './aws-iot-session.ts';
import { type AwsCredentials, signedUrlFault } from './aws-iot-signature.ts';

export interface AwsIotBroker {
  /** MQTT with a client certificate; wants ALPN, as at port 443. */
  readonly mqttsUrl: string;
  /** MQTT by WebSocket; wants a signed URL. */
  readonly wssUrl: string;
  /** PEM files: the authority, and a client's certificate and key. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Whose signatures are accepted. */
  credentials: AwsCredentials[];
  policy: PolicyStatement[];
  ackDelayMs: number;
  /** How long a connected client may leave a message unacknowledged. */
  unacknowledgedMs: number;
  /** Messages that were dropped for that. */
  readonly dropped: Outgoing[];
  /** Every time that a rule was broken, with the client id. */
  readonly violations: string[];
  /** The targets of WebSocket requests, and why each was refused. */
  readonly upgrades: { readonly target: string; readonly fault: string | undefined }[];
  /** Client ids of CONNECTs that were accepted, in order. */
  readonly connects: string[];
  /** What clients published, in order. */
  readonly published: { readonly clientId: string; readonly packet: IPublishPacket }[];
  /** What a device does with a publish. */
  onPublish: (packet: IPublishPacket) => void;
  readonly sessions: ReadonlyMap<string, AwsIotSession>;
  /** Somebody publishes. */
  publish(topic: string, payload: string | Buffer, properties?: Outgoing['properties']): void;
  /** Ends all connections without a word. */
  cut(): void;
  close(): Promise<void>;
}

/** The name of the region in signatures. */
export const testRegion = 'eu-central-1';

export async function startAwsIotBroker(): Promise<AwsIotBroker> {
  const { pem } = awsIotCertificates();
  const connections = new Set<AwsIotConnection>();
  const sessions = new Map<string, AwsIotSession>();
  const connectRates = new Map<string, Rate>();
  const versions = new Map<string, number>();
  const identifiers = new Map<AwsIotConnection, string>();
  const turns = new Map<string, number>();

  function route(topic: string, payload: Buffer, properties?: Outgoing['properties']): void {
    const groups = new Map<string, AwsIotSession[]>();
    for (const session of sessions.values()) {
      if (!isAllowed(broker.policy, 'iot:Receive', `topic/${topic}`)) continue;
      const qos = session.qosFor(topic);
      if (qos !== undefined) session.deliver({ topic, payload, qos, properties });
      for (const filter of session.subscriptions.keys()) {
        const [, shared] = /^\$share\/[^/]+\/(.*)$/s.exec(filter) ?? [];
        if (shared !== undefined && filterMatches(shared, topic))
          groups.set(filter, [...(groups.get(filter) ?? []), session]);
      }
    }
    // Each message goes to one member, and to one that is connected while there is one.
    for (const [filter, members] of groups) {
      const connected = members.filter(({ isConnected }) => isConnected);
      const able = connected.length > 0 ? connected : members;
      const turn = turns.get(filter) ?? 0;
      turns.set(filter, turn + 1);
      able[turn % able.length]?.deliver({ topic, payload, qos: 1, properties });
    }
  }

  /** "Lifecycle events", "Connect/Disconnect events". */
  function tell(connection: AwsIotConnection, reason?: DisconnectReason): void {
    const { clientId, principal } = connection;
    if (/[+#]/.test(clientId)) return;
    const eventType = reason === undefined ? 'connected' : 'disconnected';
    const event = {
      clientId,
      timestamp: Date.now(),
      eventType,
      sessionIdentifier: identifiers.get(connection),
      principalIdentifier: principal,
      ...(reason === undefined
        ? { ipAddress: '127.0.0.1' }
        : {
            clientInitiatedDisconnect: reason === 'CLIENT_INITIATED_DISCONNECT',
            disconnectReason: reason,
          }),
      versionNumber: versions.get(clientId) ?? 0,
    };
    route(`$aws/events/presence/${eventType}/${clientId}`, Buffer.from(JSON.stringify(event)));
  }

  const host = {
    get policy() {
      return broker.policy;
    },
    get ackDelayMs() {
      return broker.ackDelayMs;
    },
    violated: (clientId: string, rule: string) => broker.violations.push(`${clientId}: ${rule}`),
    open(connection: AwsIotConnection) {
      const { clientId, connect } = connection;
      const rate = connectRates.get(clientId) ?? new Rate();
      connectRates.set(clientId, rate);
      if (rate.count(performance.now()) > 1) host.violated(clientId, 'CONNECT twice in a second');
      for (const other of connections)
        if (other !== connection && other.clientId === clientId)
          other.end('DUPLICATE_CLIENTID', 0x8e);
      const kept = sessions.get(clientId);
      const present =
        kept !== undefined && connect?.clean !== true && kept.endsAtMs > performance.now();
      const session = present ? kept : new AwsIotSession(clientId, broker);
      sessions.set(clientId, session);
      broker.connects.push(clientId);
      versions.set(clientId, (versions.get(clientId) ?? -1) + 1);
      identifiers.set(connection, randomUUID());
      tell(connection);
      return { session, present };
    },
    closed(connection: AwsIotConnection, reason: DisconnectReason) {
      connections.delete(connection);
      if (connection.session === undefined) return;
      connection.session.detach(performance.now());
      if (connection.session.expirySeconds === 0) sessions.delete(connection.clientId);
      tell(connection, reason);
    },
    published(clientId: string, packet: IPublishPacket) {
      broker.published.push({ clientId, packet });
      route(packet.topic, Buffer.from(packet.payload), packet.properties);
      broker.onPublish(packet);
    },
  };

  const keys = { key: readFileSync(pem('broker-key')), cert: readFileSync(pem('broker')) };
  const tls = createTlsServer(
    {
      ...keys,
      ca: readFileSync(pem('authority')),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['x-amzn-mqtt-ca'],
    },
    (socket) => {
      // Without SNI, or at port 443 without the protocol's name, there is no MQTT.
      if (socket.alpnProtocol !== 'x-amzn-mqtt-ca' || !socket.servername) {
        broker.violations.push(`TLS: ALPN ${socket.alpnProtocol}, SNI ${socket.servername}`);
        socket.destroy();
        return;
      }
      const { fingerprint256 = '' } = socket.getPeerCertificate();
      const principal = fingerprint256.replaceAll(':', '').toLowerCase();
      connections.add(new AwsIotConnection(socket, host, principal));
    },
  );
  const https = createHttpsServer(keys);
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'mqtt' });
  https.on('upgrade', (request, socket, head) => {
    const target = request.url ?? '';
    const { host: name = '' } = request.headers;
    const fault = signedUrlFault({ target, host: name }, broker.credentials, testRegion);
    broker.upgrades.push({ target, fault });
    if (fault !== undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [, principal = ''] = /X-Amz-Credential=([^%/&]+)/.exec(target) ?? [];
    sockets.handleUpgrade(request, socket, head, (ws) =>
      connections.add(new AwsIotConnection(createWebSocketStream(ws), host, principal)),
    );
  });
  for (const server of [tls, https]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const portOf = (server: typeof tls | typeof https) => (server.address() as AddressInfo).port;

  const broker: AwsIotBroker = {
    mqttsUrl: `mqtts://localhost:${portOf(tls)}`,
    wssUrl: `wss://localhost:${portOf(https)}/mqtt`,
    caFile: pem('authority'),
    certificateFile: pem('client'),
    keyFile: pem('client-key'),
    credentials: [],
    policy: [
      {
        actions: [
          'iot:Connect',
          'iot:Subscribe',
          'iot:Receive',
          'iot:Publish',
          'iot:RetainPublish',
        ],
        resources: ['*'],
      },
    ],
    ackDelayMs: 5,
    unacknowledgedMs: quotas.unacknowledgedMs,
    dropped: [],
    violations: [],
    upgrades: [],
    connects: [],
    published: [],
    onPublish: () => {},
    sessions,
    publish: (topic, payload, properties) => route(topic, Buffer.from(payload), properties),
    cut() {
      for (const connection of connections) connection.end('CONNECTION_LOST');
    },
    async close() {
      broker.cut();
      tls.close();
      https.close();
      https.closeAllConnections();
    },
  };
  return broker;
}
