import { loadTemplates } from '@parkline/templates';
import { equipmentSheet, pointSheet } from './fleet/index.ts';
import type { SheetKind } from './imports/index.ts';
import { buildingSheet, floorSheet, siteSheet } from './places/index.ts';
import { gatewaySheet } from './provisioning/index.ts';
import { contactSheet, leaseSheet, spaceSheet, tenantSheet } from './tenancy/index.ts';

const templates = loadTemplates();

/** Everything that comes and goes in tables, in the order in which a park is filled. */
export const sheetKinds: readonly SheetKind[] = [
  siteSheet,
  buildingSheet,
  floorSheet,
  spaceSheet,
  tenantSheet,
  contactSheet,
  leaseSheet,
  gatewaySheet,
  equipmentSheet(templates),
  pointSheet(templates),
];
