import { type Static, Type } from 'typebox';

/** Lists that a page may hold and load again when they changed. */
export const changeTopics = ['faults', 'work-orders', 'settings', 'commands'] as const;
export const ChangeTopic = Type.Enum(changeTopics);
export type ChangeTopic = (typeof changeTopics)[number];

/**
 * GET /api/changes. SSE: `event: changed`, data = Changed. It names no row, so nobody learns more from it than from the lists.
 * Every topic comes once at the start: a page that connects again has missed nothing.
 */
export const Changed = Type.Object({ topics: Type.Array(ChangeTopic) });
export type Changed = Static<typeof Changed>;
