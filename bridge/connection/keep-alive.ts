// The keep-alive of one connection [3.1.2.10]. MQTT.js's own is not used: it takes nothing but PINGRESP and
// acknowledgements for a sign of life, and a connection that is not read for dead.

export interface KeepAliveOptions {
  /** The broker's Server Keep Alive, or what CONNECT asked for [MQTT-3.2.2-21]; 0 turns it off. */
  readonly seconds: number;
  /** What is heard; while it is not read, nothing can be. */
  readonly incoming: { readonly isReading: boolean; readonly heardMs: number };
  readonly ping: () => void;
  readonly onDead: (reason: string) => void;
}

/** Starts it; what it gives ends it. */
export function startKeepAlive({ seconds, incoming, ping, onDead }: KeepAliveOptions): () => void {
  if (seconds === 0) return () => {};
  const intervalMs = seconds * 1000;
  const isDead = () =>
    incoming.isReading && performance.now() - incoming.heardMs > intervalMs * 1.5;
  let quarters = 0;
  const timer = setInterval(() => {
    // Twice in each interval, whatever else is sent: the broker closes after one and a half [MQTT-3.1.2-22].
    if (++quarters % 2 === 0) ping();
    if (!isDead()) return;
    // After a long turn of the event loop, timers come before what has arrived meanwhile.
    setImmediate(() => {
      if (isDead()) onDead(`the broker has said nothing for ${seconds * 1.5} s (keep-alive)`);
    });
  }, intervalMs / 4);
  return () => clearInterval(timer);
}
