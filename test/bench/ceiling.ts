// The ceiling as a subject: bare MQTT.js that receives and acknowledges, with no HTTP behind it.
import { startCounter } from './programs.ts';
import type { ReceiverOptions } from './receiver.ts';
import type { Subject } from './subject.ts';

const clientId = 'receiver';

export function ceiling(
  acknowledge: ReceiverOptions['acknowledge'],
  receiveMaximum: number,
  drainMessages: number,
): Subject {
  return {
    name: acknowledge === 'bulk' ? 'Bare MQTT.js, bulk PUBACKs' : 'Bare MQTT.js, its own PUBACKs',
    clientId,
    acknowledges: 'on receipt, no HTTP',
    drainMessages,
    handlerLatenciesMs: [0],
    start({ brokerUrl }) {
      const options: ReceiverOptions = {
        brokerUrl,
        clientId,
        receiveMaximum,
        acknowledge,
      };
      const counter = startCounter('receiver', options);
      return { process: counter.process, counter, stop: counter.stop };
    },
  };
}
