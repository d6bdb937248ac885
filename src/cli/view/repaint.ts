import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { Terminal } from "../terminal.ts";

const REDRAW_MS: Ms = 250;
const PLAIN_MS: Ms = 10_000;

/** What is shown of something that goes on. */
export interface Picture {
  /** Lines that are drawn over in place, each within so many columns. */
  lines(columns: number): readonly string[];
  /** The same in one plain line, for a log; "" for nothing to say yet. */
  plain(): string;
}

/** Shows a picture until it is stopped: on a terminal in place, elsewhere a plain line every ten seconds in which it changed. */
export class Repaint {
  readonly #picture: Picture;
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #drawn = 0;
  #lastPlain = "";
  #cancel: Cancel | undefined;

  constructor(picture: Picture, terminal: Terminal, clock: Clock) {
    this.#picture = picture;
    this.#terminal = terminal;
    this.#clock = clock;
  }

  start(): void {
    const inPlace = this.#terminal.isTTY === true;
    const tick = (): void => {
      if (inPlace) this.#draw();
      else this.#print();
      this.#cancel = this.#clock.after(inPlace ? REDRAW_MS : PLAIN_MS, tick);
    };
    tick();
  }

  /** Leaves the last frame standing. */
  stop(): void {
    this.#cancel?.();
  }

  /** Takes the frame away, so that something else can be written; the next tick draws it again below. */
  clear(): void {
    if (this.#drawn > 0) this.#terminal.write(`\u001B[${this.#drawn}A\u001B[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    const lines = this.#picture.lines(this.#terminal.columns ?? 80);
    this.clear();
    this.#terminal.write(`${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }

  #print(): void {
    const line = this.#picture.plain();
    if (line !== this.#lastPlain && line !== "") this.#terminal.write(`${line}\n`);
    this.#lastPlain = line;
  }
}
