// A few simulated devices: thermometers that publish every second and answer commands.
import mqtt from 'mqtt';

const rooms = ['kitchen', 'office', 'greenhouse'];

export interface Demo {
  stop(): Promise<void>;
}

/**
 * Starts the devices. Each publishes to `demo/<room>/temperature`, prints what comes to `demo/<room>/cmd`, and answers
 * what comes to `demo/<room>/cmd/<id>` on `demo/<room>/reply/<id>`.
 */
export function startDemo(brokerUrl: string, print: (line: string) => void): Demo {
  const devices = rooms.map((room, index) => {
    const client = mqtt.connect(brokerUrl, { clientId: `demo-${room}` });
    let celsius = 18 + index * 3;
    client.on('connect', () => client.subscribe(`demo/${room}/cmd/#`, { qos: 1 }));
    client.on('message', (topic, payload) => {
      print(`[device ${room}] received on ${topic}: ${payload}`);
      const [, , , id] = topic.split('/');
      if (id === undefined) return;
      client.publish(`demo/${room}/reply/${id}`, JSON.stringify({ celsius }), { qos: 1 });
    });
    client.on('error', () => {});
    const timer = setInterval(() => {
      celsius = Math.round((celsius + Math.random() - 0.5) * 100) / 100;
      client.publish(`demo/${room}/temperature`, JSON.stringify({ celsius }), { qos: 1 });
    }, 1000);
    return { client, timer };
  });
  return {
    async stop() {
      await Promise.all(
        devices.map(({ client, timer }) => {
          clearInterval(timer);
          return client.endAsync(true);
        }),
      );
    },
  };
}
