// A device on MQTT.js: sends back what it gets, and answers what is asked.
import mqtt from 'mqtt';

const [port, name = ''] = process.argv.slice(2);
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
  protocolVersion: 5,
  clientId: name,
  clean: false,
  properties: { sessionExpiryInterval: 300 },
  // By default it subscribes again by itself, which would hide a session that is lost.
  resubscribe: false,
});
client.on('connect', async ({ sessionPresent }) => {
  if (sessionPresent) return;
  await client.subscribeAsync({ [`${name}/down/+`]: { qos: 2 }, [`${name}/ask`]: { qos: 1 } });
  console.log('subscribed');
});
client.on('error', () => {});
client.on('message', (topic, payload, { qos, properties = {} }) => {
  const { responseTopic, correlationData } = properties;
  if (topic !== `${name}/ask`) client.publish(topic.replace('/down/', '/up/'), payload, { qos });
  else if (responseTopic !== undefined && correlationData !== undefined)
    client.publish(responseTopic, 'pong', { qos: 1, properties: { correlationData } });
});
