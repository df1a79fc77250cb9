// What each broker is expected to do, row by row: a capability, or what happens instead.
import type { InteropBroker } from './brokers/broker.ts';
import type { Outcome } from './rows/row.ts';
import type { RowName } from './rows/rows.ts';

/** In all brokers but those that are named. */
type Expected = Partial<Record<InteropBroker['name'], Outcome>>;

const oldVersion = 'no: 3.1.1, which the bridge finds out by itself';
const noProperties = 'no: MQTT 3.1.1 has neither; the command stays `sent`';
const grantedInVain =
  'no: `broker.profile` refuses it; without that it is granted, and no message ever comes';

const storedTwice =
  'no: nothing is lost, but what was in flight comes as if it were new, and is stored twice';

const exceptions: Partial<Record<RowName, Expected>> = {
  version: { RabbitMQ: oldVersion, NATS: oldVersion },
  qos2: {
    RabbitMQ: 'yes: the device gets a PUBACK, as at QoS 1',
    NATS: 'no: the broker closes the connection',
  },
  topics: {
    RabbitMQ: 'no: it changes a dot and an asterisk',
    NATS: 'no: it closes the connection on a space and a dot',
  },
  retained: { RabbitMQ: 'no: only where the filter has no wildcards' },
  replyProperties: { RabbitMQ: noProperties, NATS: noProperties },
  shared: {
    RabbitMQ: grantedInVain,
    NATS: grantedInVain,
  },
  killed: {
    // It has DUP, and other packet ids than before, against [MQTT-4.4.0-1].
    RabbitMQ: storedTwice,
    // After `ack_wait`.
    NATS: 'no: it comes behind what was published later',
  },
  restart: { RabbitMQ: storedTwice },
  brokerKilled: { mosquitto: 'no: what came since its last save is lost' },
};

export function expectedOutcome(row: RowName, broker: InteropBroker['name']): Outcome {
  return exceptions[row]?.[broker] ?? 'yes';
}
