import { createInterface } from 'node:readline';
import type { FaultRule, Faults } from './faults.ts';
import { createListener, type Listener } from './servers/listener.ts';

export interface ControlDeps {
  readonly faults: Faults;
  readonly unplug: (bus: string) => Promise<void>;
  readonly plug: (bus: string) => Promise<void>;
}

/** One line of JSON in, one out: `{"do":"fault","bus":"a-panel","unit":3,"times":5,"fault":{"kind":"silence"}}`. */
type Command =
  | ({ readonly do: 'fault' } & FaultRule)
  | { readonly do: 'clear'; readonly id?: number; readonly bus?: string }
  | { readonly do: 'unplug' | 'plug'; readonly bus: string };

/** Lets a test in another process script faults. Loopback only: it is bound there by the caller. */
export function createControlServer(deps: ControlDeps): Listener {
  return createListener((socket) => {
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      void run(deps, line).then((reply) => socket.destroyed || socket.write(`${JSON.stringify(reply)}\n`));
    });
  });
}

async function run({ faults, unplug, plug }: ControlDeps, line: string): Promise<object> {
  try {
    const command = JSON.parse(line) as Command;
    if (command.do === 'fault') return { ok: true, id: faults.set(command) };
    if (command.do === 'clear') return { ok: true, ended: faults.clear(command) };
    if (command.do === 'unplug') await unplug(command.bus);
    else if (command.do === 'plug') await plug(command.bus);
    else return { ok: false, error: 'do is one of fault, clear, unplug, plug' };
    return { ok: true };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
