import type { Ms } from "../units.ts";
import type { Fill } from "./fill.ts";
import type { Members } from "./members.ts";
import { ROUNDING } from "./plan.ts";
import type { Share } from "./share.ts";

/**
 * How long until a share has room for so much of a member's request, at the present rates; 0: it has.
 * Source: design of admission, section 1.4.
 */
export function timeToRoom(fill: Fill, share: Share, member: string, grain: number): Ms {
  const { members } = share;
  if (members !== undefined) return timeToRoomInGroup(fill, { share, members, member }, grain);
  const missing = fill.deficitOf(share) + grain - share.plan.burst;
  return missing <= 0 ? 0 : missing / fill.rateOf(share);
}

/** What is left of the room for a member: in its share, and below the threshold of a group. */
export function roomFor(fill: Fill, share: Share, member: string): number {
  const room = share.plan.burst - fill.deficitOf(share);
  return Math.max(0, room - (share.members?.deficitOf(member) ?? 0));
}

interface Seeker {
  readonly share: Share;
  readonly members: Members;
  readonly member: string;
}

/**
 * A member may owe as much as the group has left (the dynamic threshold of Choudhury and Hahne): one alone at most half
 * of the burst, n together 1 / (n + 1) each, so that a newcomer always finds room. Without any deficit it gets one grain
 * up to the cap. Whoever pays instalments waits until the last one has become due.
 */
function timeToRoomInGroup(fill: Fill, { share, members, member }: Seeker, grain: number): Ms {
  const { burst, cap } = share.plan;
  const rate = fill.rateOf(share);
  const ownRate = fill.rateOfMember(share, member);
  let total = fill.deficitOf(share);
  let own = members.deficitOf(member);
  let waited = 0;

  const owed = members.owedBy(member);
  if (owed > 0) {
    const last = owed - (Math.ceil(owed / members.instalment) - 1) * members.instalment;
    waited = (own + owed - last) / ownRate;
    own = last;
    total = Math.max(last, total + owed - rate * waited);
  }

  const missing = own + total + grain - burst;
  if (missing <= 0) return waited;
  const untilShrunk = missing / (rate + ownRate);
  const untilFull = Math.max(0, own - ROUNDING * burst) / ownRate;
  if (untilShrunk <= untilFull) return waited + untilShrunk;
  return waited + Math.max(untilFull, (total + grain - cap) / rate);
}
