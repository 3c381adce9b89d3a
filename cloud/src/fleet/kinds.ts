/** What kinds of equipment are called elsewhere: their class of Brick 1.3 and their markers of Project Haystack 4. */
const kinds: Readonly<Record<string, { readonly brick: string; readonly markers: readonly string[] }>> = {
  ahu: { brick: 'Air_Handling_Unit', markers: ['ahu', 'airHandlingEquip'] },
  boiler: { brick: 'Boiler', markers: ['boiler', 'hot', 'water', 'plant'] },
  chiller: { brick: 'Chiller', markers: ['chiller', 'chilled', 'water', 'plant'] },
  elevator: { brick: 'Elevator', markers: ['elevator', 'verticalTransport'] },
  fcu: { brick: 'Fan_Coil_Unit', markers: ['fcu', 'airTerminalUnit'] },
  gate: { brick: 'Access_Control_Equipment', markers: ['gate', 'accessControl'] },
  'heat-meter': { brick: 'Thermal_Power_Meter', markers: ['meter', 'heat', 'water', 'flowMeter'] },
  'leak-sensor': { brick: 'Sensor_Equipment', markers: ['leak', 'water', 'sensorEquip'] },
  'single-phase-meter': { brick: 'Electrical_Meter', markers: ['elec', 'meter', 'ac'] },
  'three-phase-meter': { brick: 'Electrical_Meter', markers: ['elec', 'meter', 'ac', 'threePhase'] },
  vav: { brick: 'Variable_Air_Volume_Box', markers: ['vav', 'airTerminalUnit'] },
  'water-meter': { brick: 'Water_Meter', markers: ['water', 'meter', 'flowMeter'] },
};

/** Of a kind that we do not know: equipment, and no more. */
export const brickOf = (kind: string): string => kinds[kind]?.brick ?? 'Equipment';
export const markersOf = (kind: string): readonly string[] => kinds[kind]?.markers ?? [];

/** Classes that say no more than that something is a point. */
const bare = new Set(['Point', 'Sensor', 'Setpoint', 'Command', 'Status', 'Parameter', 'Class']);

export const hasOwnClass = (brickClass: string | null): boolean =>
  brickClass !== null && !bare.has(brickClass);
