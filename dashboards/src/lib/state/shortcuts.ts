/** What the keys of a page do. Two keys in a row, such as "g d", are one shortcut. */
export type Shortcuts = Readonly<Record<string, () => void>>;

const pairWithinMs = 1_000;

/** Inputs that take no text: their keys are free for shortcuts. */
const wordless = new Set([
  'radio',
  'checkbox',
  'button',
  'submit',
  'reset',
  'range',
  'color',
  'file',
  'image',
]);

const isTyping = (target: EventTarget | null): boolean => {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !wordless.has(target.type);
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
};

/** A keydown listener for {@link Shortcuts}; silent while somebody types or a dialog is open. */
export function createShortcuts(
  shortcuts: Shortcuts,
  now: () => number = Date.now,
): (event: KeyboardEvent) => void {
  let before = { key: '', at: 0 };
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    const at = now();
    const pair = `${before.key} ${event.key}`;
    const run = at - before.at < pairWithinMs && shortcuts[pair] ? shortcuts[pair] : shortcuts[event.key];
    before = { key: event.key, at };
    if (!run) return;
    event.preventDefault();
    before = { key: '', at: 0 };
    run();
  };
}
