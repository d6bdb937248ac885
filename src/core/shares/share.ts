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
