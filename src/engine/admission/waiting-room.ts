import type { Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import { Deadlines } from "../deadlines.ts";
import type { Account } from "./account.ts";
import { Line, type Visit, WaitingPlace } from "./line.ts";

/** Who decides what becomes of those who wait. */
export interface RoomKeeper {
  /** It is time to look at the head of a line. */
  look(line: Line): void;
  /** A request has waited as long as it may. It has left the room already. */
  expired(place: WaitingPlace): void;
}

/** Where requests wait for their share: one line for each consumer, one timer for the heads of all lines, one for all deadlines. */
export class WaitingRoom {
  readonly #looks: Deadlines<Line>;
  readonly #deadlines: Deadlines<WaitingPlace>;
  #size = 0;

  constructor(clock: Clock, keeper: RoomKeeper) {
    this.#looks = new Deadlines(clock, (line) => keeper.look(line));
    this.#deadlines = new Deadlines(clock, (place) => {
      this.leave(place);
      keeper.expired(place);
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Any of those who wait. */
  get any(): WaitingPlace | undefined {
    return this.#deadlines.first;
  }

  /** Puts a request at the end of its consumer's line. Somebody has to see to it that the head of a new line is looked at. */
  join(account: Account, visit: Visit): WaitingPlace {
    const line = (account.line ??= new Line(account, visit.now));
    const place = new WaitingPlace(line, visit);
    line.places.push(place);
    line.tokens += visit.claim.input + visit.claim.output;
    this.#size += 1;
    account.open += 1;
    this.#deadlines.add(place);
    return place;
  }

  /** Takes a waiting request out of its line. False if it is not there any more. */
  leave(place: WaitingPlace): boolean {
    const { line, claim } = place;
    if (!place.isWaiting) return false;
    place.isWaiting = false;
    line.places.remove(place);
    line.tokens -= claim.input + claim.output;
    line.account.open -= 1;
    this.#size -= 1;
    this.#deadlines.remove(place);
    if (line.places.size === 0) {
      this.#looks.remove(line);
      line.account.line = undefined;
    }
    return true;
  }

  /** Has the head of a line looked at, at that time at the latest. */
  lookAt(line: Line, at: Ms): void {
    this.#looks.remove(line);
    line.deadline = at;
    this.#looks.add(line);
  }
}
