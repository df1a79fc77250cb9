// A row of the table: a capability, and how it is looked at.
import type { World } from '../world.ts';

/** What was seen: the capability, with a remark where it needs one, or what happens instead. */
export type Outcome = 'yes' | `yes: ${string}` | `no: ${string}`;

export interface Row {
  /** As the table says it. */
  readonly capability: string;
  /**
   * Looks. What every broker has to do is asserted inside; what they differ in is the outcome, which the suite
   * compares with what is expected of this broker.
   */
  observe(world: World): Promise<Outcome>;
}
