// What the suite needs to know of a broker, whichever it is.
import type { Certificate } from '../certificate.ts';

/** A setting of the broker's own configuration: what the suite runs with is what we recommend. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

export interface RunningBroker {
  readonly port: number;
  /** Plain MQTT over TCP. */
  readonly url: string;
  /** MQTT over TLS, with the certificate that it was started with. */
  readonly tlsUrl: string;
  /** Resolves when its process has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it with what it has kept, on the same ports. */
  startAgain(): Promise<void>;
  /** Ends everything that was started for it. */
  close(): Promise<void>;
}

export interface InteropBroker {
  readonly name: 'mosquitto' | 'RabbitMQ' | 'NATS' | 'embedded';
  /** Undefined where it is not installed. */
  readonly version: string | undefined;
  /** Debian's package. */
  readonly package?: string;
  /** `broker.profile` of the bridge; the embedded broker needs none. */
  readonly profile?: 'mosquitto' | 'rabbitmq' | 'nats';
  readonly protocolVersion: 4 | 5;
  readonly settings: readonly Setting[];
  start(certificate: Certificate): Promise<RunningBroker>;
}
