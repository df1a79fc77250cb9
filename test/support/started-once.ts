// What all test files of a run share, made when the first one asks for it: DynamoDB Local, which takes seconds and 430 MB,
// and the bundled programs.
import { join, resolve } from 'node:path';
import { inject } from 'vitest';
import type { ProgramName } from './programs.ts';

export type Shared = 'dynamoDbLocal' | 'programs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a GET of the name of what is shared is answered, once it is there, with where that is. */
    readonly sharedUrl: string;
    /** DynamoDB Local needs it. */
    readonly hasJava: boolean;
  }
}

async function shared(name: Shared): Promise<string> {
  const response = await fetch(`${inject('sharedUrl')}/${name}`);
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}

/** The endpoint of the run's DynamoDB Local. */
export function dynamoDbLocalEndpoint(): Promise<string> {
  return shared('dynamoDbLocal');
}

/** The file that `node` runs as this program. */
export async function programFile(name: ProgramName): Promise<string> {
  return resolve(join(await shared('programs'), `${name}.mjs`));
}
