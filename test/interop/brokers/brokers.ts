// The brokers of the suite, in the order of the table.
import type { InteropBroker } from './broker.ts';
import { embedded } from './embedded.ts';
import { mosquitto } from './mosquitto.ts';
import { nats } from './nats.ts';
import { rabbitmq } from './rabbitmq.ts';

export const brokers: readonly InteropBroker[] = [mosquitto, rabbitmq, nats, embedded];
