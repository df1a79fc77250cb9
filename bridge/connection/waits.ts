// Every wait for a broker, with its limit and what comes of it. Each is listed here once.
//
// | wait | limit | outcome |
// | --- | --- | --- |
// | TCP, TLS, WebSocket and CONNACK | `broker.connectTimeoutMs`, by MQTT.js | the try is given up, and the next one follows with back-off |
// | AUTH | none: enhanced authentication is never asked for | an AUTH ends the connection: protocol error |
// | SUBACK | `broker.connectTimeoutMs`; for response topics `commands.ackTimeoutMs` | the connection is ended, and SUBSCRIBE sent on the next one |
// | UNSUBACK | `broker.connectTimeoutMs` | the same; for response topics nobody waits for it |
// | PUBACK; PUBREC and PUBCOMP together | `commands.ackTimeoutMs` | the connection is ended, and the command is sent again |
// | PUBACK of the status | `confirmMs` (status.ts) | the connection is used without it |
// | PINGRESP, or whatever else comes | one and a half keep-alives (keep-alive.ts) | the connection is ended |
// | PUBREL of a QoS 2 message | none: it holds nothing up, and ends with the session | |
// | the end after our DISCONNECT | `closingMs` | the socket is destroyed |

/** A connection, as far as waiting for its answers goes. */
interface Answering {
  readonly incoming: {
    /** How long it has been read, in ms: the clock stands while it is not. */
    readonly readingMs: number;
    readonly isReading: boolean;
    readonly isOver: boolean;
    end(reason: string): void;
  };
  readonly answerTimeoutMs: number;
}

/** Time for the broker to close after our DISCONNECT. */
export const closingMs = 1000;

/**
 * Waits for the answer to `packet` until what it gives is called; ends the connection where it does not come in
 * time. The clock stands
 * still while the connection is not read: the answer may have come already, behind PUBLISHes that there is no room for.
 */
export function limitWait(
  { incoming, answerTimeoutMs }: Answering,
  packet: 'SUBSCRIBE' | 'UNSUBSCRIBE',
  limitMs = answerTimeoutMs,
): () => void {
  const endsMs = incoming.readingMs + limitMs;
  let isOver = false;
  let timer: NodeJS.Timeout;
  const end = () => {
    isOver = true;
    clearTimeout(timer);
  };
  const look = () => {
    if (incoming.isOver) return;
    const leftMs = endsMs - incoming.readingMs;
    // Not too often while the clock stands.
    if (leftMs > 0 || !incoming.isReading) timer = setTimeout(look, Math.max(leftMs, 100)).unref();
    // After a long turn of the event loop, timers come before what has arrived meanwhile.
    else
      setImmediate(() => {
        if (isOver) return;
        if (incoming.isReading)
          incoming.end(`the broker has not answered ${packet} in ${limitMs} ms`);
        else look();
      });
  };
  timer = setTimeout(look, limitMs).unref();
  return end;
}
