// What a row is: a clause of a standard, and the steps that show whether a server keeps to it.
import type { Version } from './client-packets.ts';
import type { Run } from './run.ts';

export type Step = (run: Run) => Promise<void>;

export interface Row {
  readonly version: Version;
  /** Such as `MQTT-3.1.0-2`; of the standard of that version. */
  readonly clause: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

/** A row of MQTT 5. */
export const five = (clause: string, title: string, ...steps: Step[]): Row => ({
  version: 5,
  clause,
  title,
  steps,
});

/** A row of MQTT 3.1.1. */
export const four = (clause: string, title: string, ...steps: Step[]): Row => ({
  version: 4,
  clause,
  title,
  steps,
});

/** The same for both, with the clause of each. */
export const both = (
  clause311: string,
  clause5: string,
  title: string,
  ...steps: Step[]
): readonly Row[] => [four(clause311, title, ...steps), five(clause5, title, ...steps)];
