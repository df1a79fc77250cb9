import { topicRights } from '../../../infra/broker/access/topic-rights.ts';
import { startBroker } from '../../../infra/broker/broker.ts';

export async function startHouse(port: number, folder: string, pairingCode: string) {
  const rights = { publish: ['rooms/%u/#'], subscribe: ['commands/%u', 'rooms/#'] };
  const away = new Map<string, string>();
  const broker = await startBroker({
    port,
    folder,
    // Asked for each CONNECT; may take its time, and what it throws refuses the client.
    async validator({ clientId, username, password, tls, certificateName, address }) {
      if (username === undefined) return { accepted: false, refusal: 'not-authorized' };
      if (password?.toString() !== pairingCode)
        return { accepted: false, refusal: 'bad-user-or-password' };
      console.log(`${username} from ${address}, certificate ${tls ? certificateName : 'none'}`);
      return { accepted: true, user: username, rights: topicRights(rights, username, clientId) };
    },
    on: {
      connected: ({ clientId }) => void away.delete(clientId),
      disconnected: ({ clientId, reason }) => void away.set(clientId, reason),
      received: ({ clientId, topic, bytes }) => console.log(`${clientId}: ${topic}, ${bytes} B`),
    },
  });
  await broker.publish({ topic: 'rooms/all', payload: 'open', qos: 1, retain: true });
  return { broker, away };
}
