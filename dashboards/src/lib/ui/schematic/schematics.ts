import type { Component } from 'svelte';
import AhuSchematic from './AhuSchematic.svelte';
import ChillerSchematic from './ChillerSchematic.svelte';
import ElevatorSchematic from './ElevatorSchematic.svelte';
import GateSchematic from './GateSchematic.svelte';
import LeakSensorSchematic from './LeakSensorSchematic.svelte';
import type { SchematicProps } from './readout.ts';
import VavSchematic from './VavSchematic.svelte';

export interface EquipmentSchematicProps extends SchematicProps {
  /** Of the equipment. */
  name: string;
  /** The floors that it serves, from the lowest up. */
  floors: readonly { readonly level: number; readonly name: string }[];
}

/** The drawing of each kind of equipment that has one. */
export const schematics: Readonly<Record<string, Component<EquipmentSchematicProps>>> = {
  ahu: AhuSchematic,
  vav: VavSchematic,
  chiller: ChillerSchematic,
  elevator: ElevatorSchematic,
  gate: GateSchematic,
  'leak-sensor': LeakSensorSchematic,
};
