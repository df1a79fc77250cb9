// How a program that runs until somebody stops it learns that it is to stop.

/**
 * Calls `stop` at the first Ctrl-C or SIGTERM, and ends the process with 0 when that has resolved; later signals change
 * nothing. To be called as the start begins: a signal without a handler ends the process on the spot, or is ignored where Node
 * is PID 1, as in a container, and who reads that a program is ready may stop it at once. So `stop` has to wait for the start.
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => Promise<unknown>): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void stop(signal).then(() => process.exit(0));
    });
}
