import { Command, CommanderError, type Help } from 'commander';

/** The program `parkline` before any noun is in it. Help marks what must be given. */
export const createProgram = (description: string, version: string): Command =>
  new Command('parkline')
    .description(description)
    .version(version)
    .showSuggestionAfterError()
    .configureHelp({ optionDescription })
    .exitOverride();

/** Every command names its own help when it is used wrongly; call it when all nouns are in. */
export function pointToHelp(command: Command, path = command.name()): void {
  const what = command.commands.length > 0 ? 'lists the commands' : 'says how it is used';
  command.showHelpAfterError(`(${path} --help ${what})`);
  for (const one of command.commands) pointToHelp(one, `${path} ${one.name()}`);
}

/** 0 help, 2 wrong use, else 1; a command that must say 1 or 3 sets process.exitCode itself. Says what went wrong. */
export function exitCodeOf(error: unknown, say: (text: string) => void): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // It has said so itself.
  say(`${error instanceof Error ? error.message : String(error)}\n`);
  return (error as { code?: unknown } | null)?.code === 'usage' ? 2 : 1;
}

/** As commander writes it, without defaults that are empty. */
const optionDescription: Help['optionDescription'] = (option) => {
  const { argChoices, defaultValue, defaultValueDescription, description, mandatory } = option;
  const isEmpty = defaultValue === undefined || typeof defaultValue === 'boolean' || isHollow(defaultValue);
  const extra = [
    ...(mandatory ? ['required'] : []),
    ...(argChoices ? [`choices: ${argChoices.join(', ')}`] : []),
    ...(isEmpty ? [] : [`default: ${defaultValueDescription ?? String(defaultValue)}`]),
  ];
  return extra.length > 0 ? `${description} (${extra.join('; ')})` : description;
};

const isHollow = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
