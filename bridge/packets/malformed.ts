// A packet that is refused: why, and the reason code of the DISCONNECT that says so (MQTT 5).
import { disconnectCode } from './reason-codes.ts';

export class Malformed {
  readonly reason: string;
  readonly code: number;

  constructor(reason: string, code: number) {
    this.reason = reason;
    this.code = code;
  }
}

/** It cannot be parsed. */
export function malformed(reason: string): Malformed {
  return new Malformed(reason, disconnectCode.malformedPacket);
}

/** It can, and must not be so. */
export function protocolError(reason: string): Malformed {
  return new Malformed(reason, disconnectCode.protocolError);
}

export function tooLarge(reason: string): Malformed {
  return new Malformed(reason, disconnectCode.packetTooLarge);
}
