// How a command ends: what it prints, its exit code, and what it tells of what the user can mend.

/** What is wrong with how a command was called, or with what it met: lines for the user. */
export class CommandError extends Error {}

/**
 * Runs a command. What it returns is printed, if it is text, or else its exit code. A {@link CommandError} ends it with 1 and
 * its lines; any other error is a bug.
 */
export async function runCommand(command: () => Promise<string | number>): Promise<void> {
  // The reader of the output may have enough of it, as `head` has.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    const result = await command();
    if (typeof result === 'string') process.stdout.write(result);
    else process.exitCode = result;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
