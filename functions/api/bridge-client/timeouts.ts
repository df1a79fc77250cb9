// How long the api waits for the bridge, at most: what an operation may hold an instance, and when it gives up.

/** To hand a dead letter to its handler. */
export const replayTimeoutSeconds = 25;

/** To send a test event to a handler, for which the bridge waits 20 seconds. */
export const testTimeoutSeconds = 25;

/** To wake it, or to tell what it knows. */
export const wakeTimeoutSeconds = 3;

/** To change a route: that is answered when every bridge knows of it. */
export const changeTimeoutSeconds = 20;
