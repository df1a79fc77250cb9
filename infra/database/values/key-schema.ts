// Which attributes of a table's items are its keys.

/** A table's keys, both texts: no table of the project has others. */
export interface KeySchema {
  readonly partitionKey: string;
  readonly sortKey: string;
}
