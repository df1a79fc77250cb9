// Who may connect: the question that the broker asks for each CONNECT, and its possible answers.
import type { TopicRights } from './topic-rights.ts';

export interface ConnectRequest {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  /** IP address of the client. */
  readonly address: string;
  readonly tls: boolean;
  /** Common name of the client's certificate, where one was asked for and checked. */
  readonly certificateName: string | undefined;
  /** Aborted when the client has gone, or its time is over: the answer is wanted no more. */
  readonly signal: AbortSignal;
}

/** The CONNACK return codes that refuse a client [MQTT-3.2.2.3]. */
export const connackCodes = {
  'client-id-refused': 2,
  'server-unavailable': 3,
  'bad-user-or-password': 4,
  'not-authorized': 5,
} as const;

export type Refusal = keyof typeof connackCodes;

export type Decision =
  | {
      readonly accepted: true;
      /** Undefined for anonymous. */
      readonly user: string | undefined;
      readonly rights: TopicRights;
    }
  | {
      readonly accepted: false;
      readonly refusal: Refusal;
      /** For the log; the client gets the code alone. */
      readonly why?: string;
    };

/** Decides on one CONNECT. A rejection refuses the client as `server-unavailable`. */
export type ConnectionValidator = (request: ConnectRequest) => Decision | Promise<Decision>;

/** Whether an address is this machine's own, in IPv4, IPv6 or IPv4 within IPv6. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}
