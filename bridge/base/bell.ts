// Wakes one worker: any number of rings while it works, or in one turn of the event loop, cause one more round.
export class Bell {
  #hasRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  /** Resolves when it rings, or has since the last time. One at a time waits. */
  async rung(): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    // Requests that came together ring together: one look at the queue finds what all of them put there.
    await new Promise((resolve) => setImmediate(resolve));
    this.#wake = undefined;
    this.#hasRung = false;
  }
}
