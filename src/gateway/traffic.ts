import type { GateSnapshot } from "../engine/gate.ts";

/** What has become of somebody's requests. */
export interface Traffic {
  readonly in_flight: number;
  readonly waiting: number;
  readonly admitted: number;
  readonly refused: number;
}

const NONE: Traffic = { in_flight: 0, waiting: 0, admitted: 0, refused: 0 };

/** Of one member of a gate. */
export function trafficOf(name: string, { members, tallies }: GateSnapshot): Traffic {
  const present = members.filter((member) => member.name === name);
  return {
    in_flight: present.reduce((sum, { running }) => sum + running, 0),
    waiting: present.reduce((sum, { waiting }) => sum + waiting, 0),
    admitted: tallies.get(name)?.admitted ?? 0,
    refused: tallies.get(name)?.refused ?? 0,
  };
}

export function totalOf(rows: readonly Traffic[]): Traffic {
  return rows.reduce(
    (sum, row) => ({
      in_flight: sum.in_flight + row.in_flight,
      waiting: sum.waiting + row.waiting,
      admitted: sum.admitted + row.admitted,
      refused: sum.refused + row.refused,
    }),
    NONE,
  );
}
