import { v7 } from 'uuid';

/** Makes row ids. UUIDv7: random enough to be unguessable, ordered by time so that pages and indexes stay in order of creation. */
export type NewId = () => string;
export const newId: NewId = () => v7();
