import { createInterface } from 'node:readline';
import type { FaultRule, Faults } from './faults.ts';
import type { ScenarioPlayer } from './scenario-player.ts';
import type { ScenarioState } from './scenario-book.ts';
import { createListener, type Listener } from './servers/listener.ts';

export interface ControlDeps {
  readonly faults: Faults;
  readonly unplug: (bus: string) => Promise<void>;
  readonly plug: (bus: string) => Promise<void>;
  readonly scenarios: ScenarioPlayer;
}

/** One line of JSON in, one out: `{"do":"fault","bus":"a-panel","unit":3,"times":5,"fault":{"kind":"silence"}}`. */
type Command =
  | ({ readonly do: 'fault' } & FaultRule)
  | { readonly do: 'clear'; readonly id?: number; readonly bus?: string }
  | { readonly do: 'unplug' | 'plug'; readonly bus: string }
  | { readonly do: 'scenarios' }
  | { readonly do: 'scenario'; readonly name: string; readonly on: boolean };

/** Lets a test in another process script faults. Loopback only: it is bound there by the caller. */
export function createControlServer(deps: ControlDeps): Listener {
  return createListener((socket) => {
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      void run(deps, line).then((reply) => socket.destroyed || socket.write(`${JSON.stringify(reply)}\n`));
    });
  });
}

async function run(deps: ControlDeps, line: string): Promise<object> {
  try {
    return { ok: true, ...(await obey(deps, JSON.parse(line) as Command)) };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

/** @returns what the answer says besides "ok". */
async function obey({ faults, unplug, plug, scenarios }: ControlDeps, command: Command): Promise<object> {
  switch (command.do) {
    case 'fault':
      return { id: faults.set(command) };
    case 'clear':
      return { ended: faults.clear(command) };
    case 'unplug':
      await unplug(command.bus);
      return {};
    case 'plug':
      await plug(command.bus);
      return {};
    case 'scenarios':
      return { scenarios: scenarios.list().map(told) };
    case 'scenario': {
      if (typeof command.on !== 'boolean') throw new Error('on is true or false');
      const { changed, ...state } = await scenarios.set(command.name, command.on);
      return { changed, scenario: told(state) };
    }
    default:
      throw new Error('do is one of fault, clear, unplug, plug, scenarios, scenario');
  }
}

/** A scenario as it goes over the line; `since` is Unix ms or null. */
function told({ scenario, since }: ScenarioState): object {
  const { name, title, happens, cleared, expects } = scenario;
  return { name, since: since ?? null, title, happens, ...(cleared ? { cleared } : {}), expects };
}
