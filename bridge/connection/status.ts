// The bridge's own presence: a retained message for each connection, `online` by itself and `offline` by itself or,
// when it dies, by its last will.

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { publishTopicFault } from '../../functions/contract/topic.ts';
import { type StatusSettings, statusTopic } from '../config/status.ts';
import { refusalText } from './end-reason.ts';
import type { ConnectOutcome, Link } from './link.ts';

/** What the broker publishes when the connection ends without DISCONNECT. */
export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** Time for the broker's PUBACK, after which the connection is used without it. */
const confirmMs = 5000;
/** So many ends in a row with the status, and the next connection is tried without. */
const endsBeforeDoubt = 2;
/** CONNACK codes of a broker that is busy or away, of MQTT 3.1.1 and 5: not for what the will says. */
const busyCodes = [0x03, 0x88, 0x89, 0x97, 0x9c, 0x9d, 0x9f];

export interface StatusOptions {
  readonly settings: StatusSettings;
  /** What stands for `{clientId}`. */
  readonly name: string;
  readonly keepaliveSeconds: number;
  readonly log: Logger;
}

export class Status {
  readonly #options: StatusOptions;
  readonly #topic: string;
  /** Tries and connections in a row that ended before the broker had confirmed the status. */
  #ends = 0;
  #isLeftOut = false;
  #again: NodeJS.Timeout | undefined;
  #hasLogged = false;

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#topic = statusTopic(options.settings.topic, options.name);
  }

  /** The last will for the next try; undefined where the try shall show whether the broker refuses it. */
  willForNextTry(): Will | undefined {
    // Client ids that others give out may hold anything.
    const fault = publishTopicFault(this.#topic);
    if (fault !== undefined) this.#logOnce(fault);
    this.#isLeftOut = fault !== undefined || this.#ends >= endsBeforeDoubt;
    if (this.#isLeftOut) return undefined;
    const { offline, qos, retain } = this.#options.settings;
    return { topic: this.#topic, payload: Buffer.from(offline), qos, retain };
  }

  /** The broker may have refused the will by not letting us in. */
  failed(outcome: Exclude<ConnectOutcome, { kind: 'connected' }>): void {
    const maySuspect =
      outcome.kind === 'refused' ? !busyCodes.includes(outcome.code) : outcome.silent;
    this.#ends = maySuspect && !this.#isLeftOut ? this.#ends + 1 : 0;
  }

  /**
   * One publish less for others, where the broker counts them: MQTT.js does not, and a broker closes on one too many
   * [MQTT-3.3.4-9].
   */
  sharing(link: Link): Link {
    if (this.#qos(link) === 0) return link;
    const { broker } = link;
    return { ...link, broker: { ...broker, receiveMaximum: broker.receiveMaximum - 1 } };
  }

  /** Says `online`, and resolves when the broker has confirmed or refused it, is gone, or takes too long. */
  async announce(link: Link): Promise<void> {
    if (this.#isLeftOut) {
      this.#ends = 0;
      this.#logOnce('the broker closes on it');
      return;
    }
    const said = this.#say(link, this.#options.settings.online);
    const ended = link.closed.then(() => 'ended' as const);
    const late = delay(confirmMs, 'late' as const, { ref: false });
    const result = await Promise.race([said, ended, late]);
    this.#ends = result === 'ended' ? this.#ends + 1 : 0;
    if (result === 'ended') return;
    // A predecessor that the broker has not missed yet leaves its will behind: within one and a half keep-alives
    // [MQTT-3.1.2-22], so this comes after it. The broker itself puts that of the same client id before our CONNACK.
    this.#again = setTimeout(
      () => void this.#say(link, this.#options.settings.online),
      this.#options.keepaliveSeconds * 2000,
    ).unref();
    void link.closed.then(() => clearTimeout(this.#again));
  }

  /** Says `offline`, before the DISCONNECT on which the broker discards the will [MQTT-3.14.4-3]. */
  leave(link: Link): void {
    clearTimeout(this.#again);
    if (!this.#isLeftOut) void this.#say(link, this.#options.settings.offline);
  }

  /** QoS 0 where the broker takes no other, or so few at once that none is left for others. */
  #qos({ broker }: Link): 0 | 1 {
    return broker.maximumQoS === 0 || broker.receiveMaximum < 2 ? 0 : this.#options.settings.qos;
  }

  #say(link: Link, payload: string): Promise<'said' | 'refused'> {
    const retain = this.#options.settings.retain && link.broker.retainAvailable;
    const options = { qos: this.#qos(link), retain };
    return new Promise((resolve) => {
      link.client.publish(this.#topic, payload, options, (error) => {
        // When the connection ends, MQTT.js calls back with an error too.
        if (error && link.client.connected) this.#logOnce(refusalText(error));
        if (!error || link.client.connected) resolve(error ? 'refused' : 'said');
      });
    });
  }

  #logOnce(reason: string): void {
    if (this.#hasLogged) return;
    this.#hasLogged = true;
    const { log } = this.#options;
    log.error({ topic: this.#topic, reason }, 'the broker refuses the status: going on without it');
  }
}
