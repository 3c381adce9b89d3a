import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UpdateEvent } from '@parkline/contract';
import { compareVersions } from '@parkline/contract/versions';
import { replaceFile, syncFolder } from './files.ts';

export type SlotName = 'a' | 'b';

/** In the home: the two slots, the launcher and what it knows. */
export const PROGRAM_FOLDER = 'program';
/** In a slot: the signed manifest of what lies there. */
export const MANIFEST_FILE = 'release.json';
/** The agent ends with this when the launcher is to start what the state names by then. */
export const REPLACE_EXIT = 75;
/** Starts of a release on trial before it is over. */
export const MOST_STARTS = 3;

/** A release and where it came from. */
export interface SlotRelease {
  /** SHA-256 of the manifest's text. */
  readonly release: string;
  readonly version: string;
}

export interface ProgramTrial extends SlotRelease {
  /** Runs again when this trial fails. */
  readonly previous: SlotName;
  readonly previousVersion: string;
  /** Starts since the trial began. */
  readonly starts: number;
  /** Equipment ids of the devices that must answer again. */
  readonly required: readonly string[];
  /** The cloud was reached before and must be again. */
  readonly needsCloud: boolean;
}

/** Content of state.json. Written by the launcher while no agent runs, and by the agent. */
export interface ProgramState {
  readonly format: 1;
  readonly current: SlotName;
  readonly version: string;
  readonly trial: ProgramTrial | null;
  /** Highest version that was ever healthy here: nothing older comes in. */
  readonly highest: string;
  /** Time of the newest offer that was settled, Unix ms of the cloud's clock. */
  readonly offerAt: number;
  /** Not yet in the outbox, oldest first. */
  readonly untold: readonly UpdateEvent[];
}

/** The two slots of one home. Each change replaces one file whole, so a kill between any two leaves one that works. */
export interface Slots {
  readonly folder: string;
  state(): ProgramState;
  pathOf(slot: SlotName): string;
  /** Puts an unpacked release, whole on the disk in `from`, into the slot that does not run. */
  fill(from: string): SlotName;
  /** From the next start on `slot` runs, on trial. */
  begin(
    slot: SlotName,
    trial: Omit<ProgramTrial, 'previous' | 'previousVersion' | 'starts'> & { readonly offerAt: number },
    at: number,
  ): void;
  /** Counts a start of what is on trial. */
  started(): void;
  /** The trial is over and good. */
  keep(at: number): void;
  /** The trial is over: the slot before is current again. */
  rollBack(why: string, at: number): void;
  /** An offer came to nothing, or was settled. */
  settle(offerAt: number, event?: UpdateEvent): void;
  /** These are in the outbox. */
  told(ids: ReadonlySet<string>): void;
}

export const updateEvent = (
  { release, version }: SlotRelease,
  state: UpdateEvent['state'],
  at: number,
  why = '',
): UpdateEvent => ({
  ...{ type: 'update', id: randomUUID(), at, release, version, state },
  why: why.slice(0, 1_000),
});

const other = (slot: SlotName): SlotName => (slot === 'a' ? 'b' : 'a');

/** The state of a home where the launcher was installed; undefined where it was not. @throws Error when it cannot be read. */
export function readProgramState(folder: string): ProgramState | undefined {
  const path = join(folder, 'state.json');
  if (!existsSync(path)) return undefined;
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as ProgramState;
    if (state.format !== 1 || !['a', 'b'].includes(state.current)) throw new Error('another format');
    return state;
  } catch (cause) {
    throw new Error(`${path} cannot be read (${(cause as Error).message}): install the release again`, {
      cause,
    });
  }
}

export function writeProgramState(folder: string, state: ProgramState): void {
  replaceFile(join(folder, 'state.json'), `${JSON.stringify(state)}\n`);
}

/** @param passed Called at every step, for tests that kill. @throws Error where no release was ever installed. */
export function openSlots(folder: string, passed: (step: string) => void = () => undefined): Slots {
  const read = (): ProgramState => {
    const state = readProgramState(folder);
    if (!state) throw new Error(`${folder} holds no installed release`);
    return state;
  };
  const change = (step: string, next: (state: ProgramState) => Partial<ProgramState>): void => {
    const state = read();
    passed(`before-${step}`);
    writeProgramState(folder, { ...state, ...next(state) });
    passed(`after-${step}`);
  };
  const pathOf = (slot: SlotName): string => join(folder, slot);
  return {
    folder,
    state: read,
    pathOf,
    fill(from) {
      const { current, trial } = read();
      if (trial) throw new Error('a release is on trial: neither slot is free');
      const slot = other(current);
      const trash = join(folder, 'trash');
      rmSync(trash, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      if (existsSync(pathOf(slot))) renameSync(pathOf(slot), trash);
      passed('between-slots');
      renameSync(from, pathOf(slot));
      syncFolder(folder);
      passed('after-fill');
      rmSync(trash, { recursive: true, force: true });
      return slot;
    },
    begin(slot, { offerAt, ...trial }, at) {
      change('switch', (state) => ({
        current: slot,
        offerAt,
        version: trial.version,
        trial: { ...trial, previous: state.current, previousVersion: state.version, starts: 0 },
        untold: [...state.untold, updateEvent(trial, 'applied', at)],
      }));
    },
    started() {
      change('count', ({ trial }) => ({ trial: trial && { ...trial, starts: trial.starts + 1 } }));
    },
    keep(at) {
      change('keep', ({ trial, highest, untold }) => ({
        trial: null,
        ...(trial && {
          highest: compareVersions(trial.version, highest) > 0 ? trial.version : highest,
          untold: [...untold, updateEvent(trial, 'kept', at)],
        }),
      }));
    },
    rollBack(why, at) {
      change('roll-back', ({ trial, untold }) =>
        trial
          ? {
              ...{ current: trial.previous, version: trial.previousVersion, trial: null },
              untold: [...untold, updateEvent(trial, 'rolled-back', at, why)],
            }
          : {},
      );
    },
    settle(offerAt, event) {
      change('settle', (state) => ({
        offerAt: Math.max(offerAt, state.offerAt),
        ...(event && { untold: [...state.untold, event] }),
      }));
    },
    told(ids) {
      change('tell', ({ untold }) => ({ untold: untold.filter(({ id }) => !ids.has(id)) }));
    },
  };
}
