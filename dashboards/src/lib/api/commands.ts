import type { CommandBody, CommandState, CommandView } from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

/** Orders to write a point. */
export function createCommandApi({ call }: Caller) {
  const command = (id: string) => `/api/commands/${encodeURIComponent(id)}`;
  return {
    /** Newest first. */
    commandPage: (
      filter: { state?: CommandState; equipment?: string; limit: number; after?: string | undefined },
      signal?: Signal,
    ) => call<Listing<CommandView>>('/api/commands', { query: filter, signal }),
    command: (id: string, signal?: Signal) => call<CommandView>(command(id), { signal }),
    sendCommand: (pointId: string, body: CommandBody) =>
      call<CommandView>(`/api/points/${encodeURIComponent(pointId)}/commands`, { method: 'POST', body }),
    decideCommand: (id: string, step: 'approve' | 'reject' | 'cancel') =>
      call<CommandView>(`${command(id)}/${step}`, { method: 'POST' }),
  };
}
