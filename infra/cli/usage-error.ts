// What is wrong with how a command was called.

/** What the user can mend, in lines for them. */
export class UsageError extends Error {}
