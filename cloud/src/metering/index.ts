export { apportion } from './apportion.ts';
export { type Calendar, createGrid, type DayType, type Grid, intervalAt, startOf } from './calendar.ts';
export {
  type Decimal,
  divideHalfUp,
  formatUnits,
  parseDecimal,
  pow10,
  toUnits,
  trimDecimal,
} from './decimal.ts';
export type { Checked, Fault } from './faults.ts';
export {
  addDays,
  formatLocal,
  isDate,
  isTimeZone,
  localAt,
  monthOf,
  parseInstant,
  startOfDate,
} from './local-time.ts';
export type { Installation, Reading } from './registers.ts';
export { type Shown, showRegister } from './shown.ts';
export { createSeries, type Quality, type Series, type Span } from './series.ts';
export { usagePointsOf } from './handover.ts';
export { meteringJobs } from './jobs.ts';
export { handoverRoutes } from './handover-routes.ts';
export { hungAt, keepMultiplier } from './multiplier.ts';
export { type HeldUsagePoint, tenantUsage, type TenantUse } from './repository.ts';
export { seedUsagePoints, type UsagePlan } from './seed.ts';
export { coverage, cutUse, type Held, type Use, type UseBucket, type UseSpan } from './use.ts';
