import { Members } from "./members.ts";
import type { SharePlan } from "./plan.ts";

/** One share: its plan, and its bucket on the virtual clock of all shares. */
export class Share {
  plan: SharePlan;
  /** The members of a group; undefined where one consumer has the share alone. */
  readonly members: Members | undefined;
  /** F_i: the virtual time at which it is full. Means nothing while it is. */
  due = 0;
  /** The virtual time up to which its members have got their part. */
  filledTo = 0;
  /** -1 while it is full. */
  heapIndex = -1;

  constructor(plan: SharePlan) {
    this.plan = plan;
    this.members = plan.isGroup ? new Members(plan.burst) : undefined;
  }

  /** The bucket gets another size. Returns what of a deficit is left then: all, but where it does not fit any more. */
  shrink(deficit: number, burst: number): number {
    const before = this.plan.burst;
    if (burst >= before || deficit === 0) return deficit;
    if (this.members === undefined) return Math.min(deficit, burst) + Math.max(0, deficit - before);
    // One member that asks without a pause takes half of the bucket; more of them, more.
    const left = Math.min(deficit, Math.max((deficit * burst) / before, burst / 2));
    this.members.shrink(left / deficit);
    return left;
  }

  /** Takes over a new plan for a new virtual clock, on which it is full until it is charged. */
  adopt(plan: SharePlan): void {
    this.plan = plan;
    this.heapIndex = -1;
    if (this.members !== undefined) this.members.burst = plan.burst;
  }

  get isHungry(): boolean {
    return this.heapIndex >= 0;
  }
}
