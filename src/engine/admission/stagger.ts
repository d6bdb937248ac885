import type { Random } from "../../core/random.ts";
import type { Ms } from "../../core/units.ts";

/** The longest wait that is announced to a client over its share, but for the jitter. */
const LONGEST_STAGGER_MS: Ms = 30_000;

/** The jitter of announcements that are cut, in both directions. */
const JITTER = 0.2;

/** Who has been told to come back, and until when its appointments are given away. */
export interface Appointments {
  /** The first instant that has not been announced to anybody. */
  nextAppointment: Ms;
}

/** What an announcement depends on: there is room after `waitMs`, then again every `stepMs`. */
export interface Availability {
  readonly waitMs: Ms;
  readonly stepMs: Ms;
}

/**
 * When to tell a refused client to come back. Clients of the same consumer get different instants, one step after the
 * other, so that each finds room instead of all coming for the same. Far appointments are drawn by lot around 30 s.
 * Source: design of admission, section 1.4.
 */
export function stagger(of: Appointments, { waitMs, stepMs }: Availability, now: Ms, random: Random): Ms {
  const at = Math.max(now + waitMs, of.nextAppointment);
  of.nextAppointment = Math.min(at + stepMs, now + LONGEST_STAGGER_MS);
  if (at - now < LONGEST_STAGGER_MS) return at - now;
  return LONGEST_STAGGER_MS * (1 - JITTER + 2 * JITTER * random());
}
