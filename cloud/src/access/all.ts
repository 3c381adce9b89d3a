import { billing } from './billing.ts';
import { commissioning } from './commissioning.ts';
import { fleet } from './fleet.ts';
import { identity } from './identity.ts';
import { imports } from './imports.ts';
import { integrations } from './integrations.ts';
import { people } from './people.ts';
import { places } from './places.ts';
import { provisioning } from './provisioning.ts';
import { security } from './security.ts';
import { telemetry } from './telemetry.ts';
import { tenancy } from './tenancy.ts';
import { things } from './things.ts';
import { updates } from './updates.ts';
import { work } from './work.ts';
import type { Routes } from './routes.ts';

/** Who may call what, slice by slice. */
export const access: Routes = {
  ...billing,
  ...commissioning,
  ...fleet,
  ...identity,
  ...imports,
  ...integrations,
  ...people,
  ...places,
  ...provisioning,
  ...updates,
  ...security,
  ...telemetry,
  ...tenancy,
  ...things,
  ...work,
};
