import type { CommandBody, CommandState } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

const stepOf = {
  approve: 'approveCommand',
  reject: 'rejectCommand',
  cancel: 'cancelCommand',
} as const;

/** Orders to write a point. */
export function createCommandApi({ ask }: Caller) {
  return {
    /** Newest first. */
    commandPage: (
      query: { state?: CommandState; equipment?: string; limit: number; after?: string | undefined },
      signal?: Signal,
    ) => ask('listCommands', { query }, { signal }),
    command: (id: string, signal?: Signal) => ask('getCommand', { path: { id } }, { signal }),
    sendCommand: (pointId: string, body: CommandBody) =>
      ask('createPointCommand', { path: { id: pointId }, body }),
    decideCommand: (id: string, step: keyof typeof stepOf) => ask(stepOf[step], { path: { id } }),
  };
}
