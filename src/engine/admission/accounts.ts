import type { EffectivePolicy } from "../../core/policy/types.ts";
import type { Ms } from "../../core/units.ts";
import { Account } from "./account.ts";

/** Every so many requests one account is looked at, to see if it is still needed. */
const SWEEP_INTERVAL = 8;

/**
 * The accounts of all consumers that have used anything lately. With each one that is opened two others are looked at, and
 * one with every eighth request, and dropped if there is nothing to remember in them. So their number stays below twice
 * that of the accounts in use while new ones come, and falls when none do, and no timer is needed.
 */
export class Accounts implements Iterable<Account> {
  readonly #byName = new Map<string, Account>();
  readonly #all: Account[] = [];
  #next = 0;
  #countdown = SWEEP_INTERVAL;

  get size(): number {
    return this.#all.length;
  }

  find(consumer: string): Account | undefined {
    return this.#byName.get(consumer);
  }

  /** The consumer's account, under this policy. */
  of(consumer: string, policy: EffectivePolicy, now: Ms): Account {
    const known = this.#byName.get(consumer);
    if (known !== undefined) known.adopt(policy, now);
    const account = known ?? this.#open(consumer, policy, now);
    this.#countdown -= 1;
    if (this.#countdown <= 0) {
      this.#countdown = SWEEP_INTERVAL;
      this.#sweep(account, now);
    }
    return account;
  }

  [Symbol.iterator](): IterableIterator<Account> {
    return this.#all.values();
  }

  #open(consumer: string, policy: EffectivePolicy, now: Ms): Account {
    const account = new Account(consumer, policy);
    account.index = this.#all.length;
    this.#all.push(account);
    this.#byName.set(consumer, account);
    this.#sweep(account, now);
    this.#sweep(account, now);
    return account;
  }

  #sweep(inUse: Account, now: Ms): void {
    if (this.#next >= this.#all.length) this.#next = 0;
    const account = this.#all[this.#next];
    if (account === undefined || account === inUse || !account.isIdle(now)) this.#next += 1;
    else this.#drop(account);
  }

  #drop(account: Account): void {
    this.#byName.delete(account.member);
    const last = this.#all.pop();
    if (last === undefined || last === account) return;
    last.index = account.index;
    this.#all[account.index] = last;
  }
}
