// How the bridge gets to the broker, and what the broker says when somebody is gone.
import { expect, onTestFinished } from 'vitest';
import { startProxy } from '../../faults/rig/proxy.ts';
import { until } from '../../support/wait.ts';
import { expectStored, publishAll } from './messages.ts';
import type { Row } from './row.ts';

export const connections = {
  version: {
    capability: 'MQTT 5',
    async observe(world) {
      const bridge = await world.startBridge({
        name: 'version',
        filter: 'version/#',
        // A profile knows it beforehand.
        broker: { protocolVersion: 5, profile: undefined },
      });
      const started = bridge.log.find((line) => line.includes('session started')) ?? '{}';
      const { protocolVersion } = JSON.parse(started);
      expect(protocolVersion).toBe(world.kind.protocolVersion);
      return protocolVersion === 5 ? 'yes' : 'no: 3.1.1, which the bridge finds out by itself';
    },
  },
  tls: {
    capability: 'TLS (`mqtts`) with an authority of its own',
    async observe(world) {
      const { certificate, broker, kind } = world;
      await world.startBridge({
        name: 'tls',
        filter: 'tls/#',
        brokerUrl: broker.tlsUrl,
        broker: { caFile: certificate.caFile },
      });
      const stranger = await world.startBridge({
        name: 'tls-stranger',
        filter: 'tls/#',
        brokerUrl: broker.tlsUrl,
        untilReady: false,
      });
      const device = await world.connectSecureDevice({ protocolVersion: kind.protocolVersion });
      await publishAll(device, { 'tls/a': ['secret'] });
      await expectStored(world, { 'tls/a': ['secret'] });
      await until(() => stranger.status().problems.some((problem) => /certificate/.test(problem)));
      return 'yes';
    },
  },
  will: {
    capability: "A device's last will is forwarded",
    async observe(world) {
      await world.startBridge({ name: 'will', filter: 'will/#' });
      const will = {
        topic: 'will/a',
        payload: Buffer.from('gone'),
        qos: 1 as const,
        retain: false,
      };
      const device = await world.connectDevice({ will });
      device.stream.destroy();
      await expectStored(world, { 'will/a': ['gone'] });
      return 'yes';
    },
  },
  status: {
    capability: "The bridge's own last will (`broker.status`)",
    async observe(world) {
      const proxy = await startProxy(world.broker.port);
      onTestFinished(() => proxy.close());
      const device = await world.connectDevice();
      const received: string[] = [];
      device.on('message', (_, payload) => received.push(payload.toString()));
      await device.subscribeAsync('status/status-store-0', { qos: 1 });
      const bridge = await world.startBridge({
        name: 'status',
        filter: 'none/#',
        brokerUrl: `mqtt://127.0.0.1:${proxy.port}`,
        broker: { status: { topic: 'status/{clientId}' } },
      });
      await until(() => received.length === 1, { what: 'online' });
      proxy.cut();
      await until(() => received.length >= 3, { what: 'offline, and online again' });
      await until(() => bridge.status().ready);
      await bridge.drain();
      await until(() => received.length >= 4, { what: 'offline at a clean stop' });
      expect(received).toEqual(['online', 'offline', 'online', 'offline']);
      return 'yes';
    },
  },
} satisfies Record<string, Row>;
