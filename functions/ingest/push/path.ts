// Where platforms push to: known to the stack, which leads there, and to ingest, which loads the rest when it is asked for.

export const oneNetPushPath = '/push/onenet';
