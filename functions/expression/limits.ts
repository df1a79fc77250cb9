// Bounds of `where` and `transform`: what an expression may take, so that no message can stop a route.

export const expressionLimits = {
  /** Characters of an expression. */
  maxLength: 8192,
  /** Milliseconds for one message; it gets them twice. */
  evaluationMs: 200,
  /** Milliseconds without a step after which the thread is ended: a regular expression blocks it. */
  silentMs: 400,
  /** Evaluations within each other. */
  depth: 1000,
  /** Values of a list that an expression makes. */
  maxSequence: 100_000,
  /** Characters of a text that an expression makes. */
  maxTextLength: 512 * 1024,
  /** Bytes of a payload; a larger one is not evaluated. */
  maxPayloadBytes: 256 * 1024,
  /** Arrays and objects within each other in a payload; in a result twice as many. */
  maxPayloadDepth: 100,
  /** Bytes of what `transform` gives. */
  maxResultBytes: 256 * 1024,
  /** Messages that are given to the thread at once, and bytes of their payloads and of their results. */
  maxJobMessages: 256,
  maxJobBytes: 512 * 1024,
  /** Heap of the thread; it is ended where it needs more. */
  heapMiB: 32,
  /** Memory of the process that a thread can take at most, its heap among it. */
  threadMiB: 48,
} as const;
