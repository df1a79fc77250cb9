// Whether what answers in place of a broker speaks another protocol, by its first bytes.

/** In words; undefined where it may be MQTT. */
export function foreignProtocol(first: Buffer): string | undefined {
  // A TLS alert: what OpenSSL says to bytes that are no handshake [RFC 8446, 5.1].
  if (first[0] === 0x15 && first[1] === 0x03)
    return 'what answers at this port speaks TLS: it may be the one for mqtts or wss';
  if (first.toString('latin1', 0, 5) === 'HTTP/')
    return 'what answers at this port speaks HTTP: it may be the one for ws or wss';
  return undefined;
}
