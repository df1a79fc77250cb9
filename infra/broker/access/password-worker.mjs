// The thread of passwords.ts. Plain JavaScript, as not every loader of TypeScript reaches into threads.
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

parentPort?.on('message', ({ password, hash }) => {
  let right = false;
  try {
    right = compareSync(password, hash);
  } catch {
    // Not a hash: nothing matches it.
  }
  parentPort?.postMessage(right);
});
