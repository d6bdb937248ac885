import type { Ms } from "../../../src/core/units.ts";
import { type Lateness, stalledBetween } from "./stepping-clock.ts";

/** What happens to a client of an API that allows 2 calls a second. */
export interface Scenario {
  readonly name: string;
  /** When calls are asked for. */
  readonly asks: readonly Ms[];
  /** When something that is due then really runs. */
  readonly awake: Lateness;
  /** The wall clock is moved by so much then. */
  readonly jumps: readonly (readonly [at: Ms, by: Ms])[];
  /** The server refuses everything before. */
  readonly outageUntil: Ms;
}

const CALM = { awake: (due: Ms) => due, jumps: [], outageUntil: 0 };

const HOUR: Ms = 3_600_000;

export const SCENARIOS: readonly Scenario[] = [
  { ...CALM, name: "steady", asks: times(10, 0) },
  { ...CALM, name: "idle then burst", asks: [0, ...times(6, 940)] },
  { ...CALM, name: "long idle", asks: [0, 0, 0, ...times(8, 60_000)] },
  { ...CALM, name: "event-loop stall", asks: times(10, 0), awake: stalledBetween([1_200, 3_800]) },
  {
    ...CALM,
    name: "clock jump",
    asks: times(10, 0),
    jumps: [
      [500, HOUR],
      [1_600, -2 * HOUR],
      [2_700, 3],
    ],
  },
  { ...CALM, name: "retry storm", asks: times(10, 0), outageUntil: 2_500 },
];

function times(count: number, at: Ms): readonly Ms[] {
  return Array.from({ length: count }, () => at);
}
