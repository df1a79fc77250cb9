// Whether a route's requests may leave: what the forwarder asks before each of them, and tells when its handler is gone.

export interface Gate {
  /** Whether a request may start now. */
  readonly isOpen: boolean;
  /** Version of the state; a request that starts now belongs to it. */
  readonly version: number;
  /** Resolves when the gate is open, or `signal` aborts. */
  opened(signal: AbortSignal): Promise<void>;
  /** `retry` is called when the next attempt is to be at once: somebody has asked for it, or resumed the route. */
  onRetry(retry: () => void): void;
  /** The handler wants no more messages; `version` is from before its request. */
  gone(reason: string, version: number): void;
}
