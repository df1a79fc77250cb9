// The reason codes of MQTT 5 [2.4] and the return codes of MQTT 3.1.1, by their names: for logs and errors.

export const reasonNames: Readonly<Record<number, string>> = {
  0: 'Success',
  1: 'Granted QoS 1',
  2: 'Granted QoS 2',
  4: 'Disconnect with Will Message',
  16: 'No matching subscribers',
  17: 'No subscription existed',
  24: 'Continue authentication',
  25: 'Re-authenticate',
  128: 'Unspecified error',
  129: 'Malformed Packet',
  130: 'Protocol Error',
  131: 'Implementation specific error',
  132: 'Unsupported Protocol Version',
  133: 'Client Identifier not valid',
  134: 'Bad User Name or Password',
  135: 'Not authorized',
  136: 'Server unavailable',
  137: 'Server busy',
  138: 'Banned',
  139: 'Server shutting down',
  140: 'Bad authentication method',
  141: 'Keep Alive timeout',
  142: 'Session taken over',
  143: 'Topic Filter invalid',
  144: 'Topic Name invalid',
  145: 'Packet Identifier in use',
  146: 'Packet Identifier not found',
  147: 'Receive Maximum exceeded',
  148: 'Topic Alias invalid',
  149: 'Packet too large',
  150: 'Message rate too high',
  151: 'Quota exceeded',
  152: 'Administrative action',
  153: 'Payload format invalid',
  154: 'Retain not supported',
  155: 'QoS not supported',
  156: 'Use another server',
  157: 'Server moved',
  158: 'Shared Subscriptions not supported',
  159: 'Connection rate exceeded',
  160: 'Maximum connect time',
  161: 'Subscription Identifiers not supported',
  162: 'Wildcard Subscriptions not supported',
};

/** CONNACK of MQTT 3.1.1, and of a 3.1.1 broker to a client of MQTT 5 [MQTT-3.1.2-2]. */
const returnNames: Readonly<Record<number, string>> = {
  1: 'Unacceptable protocol version',
  2: 'Identifier rejected',
  3: 'Server unavailable',
  4: 'Bad user name or password',
  5: 'Not authorized',
};

/** A code with its name, such as `0x8b (Server shutting down)`. */
export function reasonText(code: number): string {
  return named(code, reasonNames[code]);
}

/** As {@link reasonText}, for the code of a CONNACK. */
export function connackText(code: number): string {
  return named(code, returnNames[code] ?? reasonNames[code]);
}

function named(code: number, name = 'a code that MQTT does not have'): string {
  return `0x${code.toString(16).padStart(2, '0')} (${name})`;
}

/** DISCONNECT of this side [3.14.2.1]. */
export const disconnectCode = {
  malformedPacket: 0x81,
  protocolError: 0x82,
  packetTooLarge: 0x95,
} as const;
