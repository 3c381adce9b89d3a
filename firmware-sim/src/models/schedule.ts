import { ramp, remembering, type SiteClock } from './site-clock.ts';

/** Who is in the building, and what the controllers do about it. */
export interface Schedule {
  /** 1 in occupied hours, else 0: weekdays 7 to 19 o'clock, Saturdays 8 to 14. */
  occupied(t: number): number;
  /** Part of the people that are there, 0..1. */
  presence(t: number): number;
  /** Zone setpoint, °C: set back outside occupied hours, back again when they begin, never in a step. */
  setpoint(t: number): number;
}

const COMFORT = 23.5;

export function createSchedule(clock: SiteClock): Schedule {
  const hours = (t: number): readonly [number, number] | undefined => {
    const weekday = clock.weekday(t);
    if (weekday === 0) return undefined;
    return weekday === 6 ? [8, 14] : [7, 19];
  };
  const presence = (t: number): number => {
    const open = hours(t);
    if (!open) return 0.06;
    const hour = clock.hour(t);
    const crowd = ramp(hour, open[0], open[0] + 2.5) * (1 - ramp(hour, open[1] - 2, open[1] + 2));
    const lunch = 0.25 * ramp(hour, 11.5, 12.25) * (1 - ramp(hour, 12.75, 13.5));
    return 0.06 + (clock.weekday(t) === 6 ? 0.3 : 0.9) * crowd * (1 - lunch);
  };
  return {
    occupied: (t) => {
      const open = hours(t);
      return open && clock.hour(t) >= open[0] && clock.hour(t) < open[1] ? 1 : 0;
    },
    presence: remembering(presence),
    setpoint: remembering((t) => {
      const setBack = 23.25 - 1.75 * Math.cos(2 * Math.PI * (clock.season(t) - 0.06));
      const open = hours(t);
      if (!open) return setBack;
      const hour = clock.hour(t);
      const comfort = ramp(hour, open[0] - 1.5, open[0]) * (1 - ramp(hour, open[1], open[1] + 1.5));
      return setBack + (COMFORT - setBack) * comfort;
    }),
  };
}
