import type { Shortcuts } from '../state/shortcuts.ts';

/** One shortcut of an area, as the list of shortcuts shows it. */
export interface AreaShortcut {
  /** Pressed one after the other; or the keys that a part of the page listens to by itself. */
  readonly keys: readonly string[];
  readonly label: string;
  /** Without it the shortcut is only told, because a part of the page handles it. */
  run?(): void;
}

/** The shortcuts that have something to run, as {@link Shortcuts}. */
export const runnable = (shortcuts: readonly AreaShortcut[]): Shortcuts =>
  Object.fromEntries(
    shortcuts.flatMap((shortcut) =>
      shortcut.run ? [[shortcut.keys.join(' '), () => shortcut.run?.()]] : [],
    ),
  );
