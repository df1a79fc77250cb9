// How a route's messages are stored: a setting of the route, which travels to ingest in the route's URL.

/** Each in an item of its own, or many in one where a request brings several. Readers take both. */
export const storageForms = ['items', 'packed'] as const;

export type StorageForm = (typeof storageForms)[number];
