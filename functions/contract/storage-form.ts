// How a route's messages are stored: a setting of the route, which travels to ingest in the route's URL.

/** Many in one item where a request brings several, or each in an item of its own. Readers take both. The first is the default. */
export const storageForms = ['packed', 'items'] as const;

export type StorageForm = (typeof storageForms)[number];

export const defaultStorageForm: StorageForm = storageForms[0];
