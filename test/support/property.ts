// fast-check as our tests use it: with one seed, so that every run of the tests tries the same values and a failure is
// one of the code, never of the draw. `npm run properties` draws others, and forty times as many.
import * as fastCheck from 'fast-check';

export * from 'fast-check';
export * as fc from './property.ts';

/** What is drawn; `npm run properties` sets another seed and prints it. */
const seed = Number(process.env['PROPERTY_SEED'] ?? 1);
/** Times the runs, or the time, that a property asks for: an ordinary run tries a quarter, `npm run properties` ten times as many. */
const factor = Number(process.env['PROPERTY_RUNS_FACTOR'] ?? 0.25);
/** Fewer would try next to nothing. */
const minRuns = 10;

/** fast-check's `assert` with the seed and the number of runs of this run of the tests. */
export function assert<Values>(
  property: fastCheck.IAsyncProperty<Values>,
  parameters?: fastCheck.Parameters<Values>,
): Promise<void>;
export function assert<Values>(
  property: fastCheck.IProperty<Values>,
  parameters?: fastCheck.Parameters<Values>,
): void;
export function assert<Values>(
  property: fastCheck.IRawProperty<Values>,
  parameters: fastCheck.Parameters<Values> = {},
): Promise<void> | void {
  const { numRuns: asked = 100, interruptAfterTimeLimit: limitMs } = parameters;
  const numRuns = Math.max(Math.min(asked, minRuns), Math.round(asked * factor));
  const options = {
    seed,
    ...parameters,
    numRuns,
    ...(limitMs !== undefined && { interruptAfterTimeLimit: limitMs * factor }),
  };
  // Nothing interrupts one that is not asynchronous, and who calls it awaits nothing.
  return limitMs !== undefined && property.isAsync()
    ? toItsEnd(property, options)
    : fastCheck.assert(property, options);
}

/** The time limit leaves a run that is under way to itself. It is waited for: it would go on beside the next test. */
async function toItsEnd<Values>(
  property: fastCheck.IRawProperty<Values>,
  parameters: fastCheck.Parameters<Values>,
): Promise<void> {
  const last: { run?: ReturnType<typeof property.run> } = {};
  const watched: typeof property = Object.create(property);
  watched.run = (values) => {
    last.run = property.run(values);
    return last.run;
  };
  try {
    await fastCheck.assert(watched, parameters);
  } finally {
    await last.run;
  }
  const failure = await last.run;
  if (failure != null && 'error' in failure) throw failure.error;
}

fastCheck.configureGlobal({ seed });
