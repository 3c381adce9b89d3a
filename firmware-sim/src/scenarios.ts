import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type TroubleKind, troubleKinds } from './troubles.ts';

/** A text in both languages of the portal. */
export interface Words {
  readonly en: string;
  readonly zh: string;
}

/** What a scenario does to one device, named by its key in the park. */
export type Effect =
  /** Its model has this trouble, with all that follows. */
  | { readonly kind: 'trouble'; readonly device: string; readonly trouble: TroubleKind }
  /** It goes on showing the last value of a quantity, whatever happens. */
  | { readonly kind: 'frozen'; readonly device: string; readonly quantity: string }
  /** It shows these values; those of `drift` it reaches within minutes. */
  | {
      readonly kind: 'shows';
      readonly device: string;
      readonly values?: Readonly<Record<string, number>>;
      readonly drift?: Readonly<Record<string, number>>;
    }
  /** It answers and tells nothing. */
  | { readonly kind: 'silent'; readonly device: string }
  /** Equipment is gone from its network. Not of an OPC UA bus, whose devices share one server. */
  | { readonly kind: 'offline'; readonly device: string }
  /** Another meter stands in its place, whose register begins at `register`. It stays when the scenario is over. */
  | {
      readonly kind: 'replaced';
      readonly device: string;
      readonly quantity: string;
      readonly register: number;
    };

/** Something that happens in a park, to be called up and ended while it runs. */
export interface Scenario {
  readonly name: string;
  readonly title: Words;
  /** What a person on the spot would see. */
  readonly happens: Words;
  /** What ending it does; said where that is not plain. */
  readonly cleared?: Words;
  readonly effects: readonly Effect[];
  /** The one fault that the cloud is to find: rule and device. */
  readonly expects: { readonly rule: string; readonly device: string };
}

export const scenarioFolder = join(import.meta.dirname, '../scenarios');

/** All scenarios in the order of their names. @throws Error naming the file and its faults. */
export function readScenarios(folder = scenarioFolder): readonly Scenario[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => parseScenario(readFileSync(join(folder, file), 'utf8'), file.replace(/\.yaml$/, '')));
}

/** @param name Of the file, which must be the scenario's own. */
export function parseScenario(text: string, name: string): Scenario {
  const raw = parse(text) as Scenario;
  const faults = [
    ...(raw.name === name ? [] : [`name is ${String(raw.name)}, its file says ${name}`]),
    ...(['title', 'happens'] as const).flatMap((field) =>
      raw[field]?.en && raw[field].zh ? [] : [`${field} must be there in en and zh`],
    ),
    ...(raw.expects?.rule && raw.expects.device ? [] : ['expects must name a rule and a device']),
    ...(raw.effects?.length ? raw.effects.flatMap(effectFaults) : ['there are no effects']),
  ];
  if (faults.length > 0) throw new Error(`scenario ${name}: ${faults.join('; ')}`);
  return raw;
}

function effectFaults(effect: Effect): string[] {
  const { kind, device } = effect;
  if (!device) return [`an effect of kind ${String(kind)} names no device`];
  switch (kind) {
    case 'silent':
    case 'offline':
      return [];
    case 'trouble':
      return troubleKinds.includes(effect.trouble) ? [] : [`${device}: no trouble ${String(effect.trouble)}`];
    case 'frozen':
      return effect.quantity ? [] : [`${device}: frozen without a quantity`];
    case 'shows':
      return [effect.values, effect.drift].every((values) => Object.keys(values ?? {}).length === 0)
        ? [`${device}: shows nothing`]
        : [];
    case 'replaced':
      return effect.quantity && effect.register >= 0
        ? []
        : [`${device}: replaced without quantity or register`];
    default:
      return [`${String(device)}: no effect ${String(kind)}`];
  }
}
