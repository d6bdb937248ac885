import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { Gateway } from "../../gateway/index.ts";
import type { Palette, Terminal } from "../terminal.ts";
import { frame, plainLine, rate } from "./frame.ts";

const REDRAW_MS: Ms = 250;
const PLAIN_MS: Ms = 10_000;
/** The rate is that of the last few seconds. */
const RATE_WINDOW_MS: Ms = 5_000;

export interface LiveViewOptions {
  readonly gateway: Gateway;
  readonly terminal: Terminal;
  readonly palette: Palette;
  readonly clock: Clock;
}

/**
 * Shows what the gate does until it is stopped: on a terminal lines that are drawn over in place, elsewhere a plain line
 * every ten seconds in which something was done.
 */
export class LiveView {
  readonly #options: LiveViewOptions;
  readonly #history: { at: Ms; completed: number }[] = [];
  #drawn = 0;
  #lastPlain = "";
  #cancel: Cancel | undefined;

  constructor(options: LiveViewOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, terminal } = this.#options;
    const inPlace = terminal.isTTY === true;
    const tick = (): void => {
      if (inPlace) this.#draw();
      else this.#print();
      this.#cancel = clock.after(inPlace ? REDRAW_MS : PLAIN_MS, tick);
    };
    tick();
  }

  /** Leaves the last frame standing. */
  stop(): void {
    this.#cancel?.();
  }

  /** Takes the frame away, so that something else can be written; the next tick draws it again below. */
  clear(): void {
    if (this.#drawn > 0) this.#options.terminal.write(`\u001B[${this.#drawn}A\u001B[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    const { gateway, terminal, palette } = this.#options;
    const lines = frame(
      { stats: gateway.stats(), perSecond: this.#perSecond(), columns: terminal.columns ?? 80 },
      palette,
    );
    this.clear();
    terminal.write(`${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }

  #print(): void {
    const line = plainLine({ stats: this.#options.gateway.stats(), perSecond: this.#perSecond(), columns: 0 });
    if (line !== this.#lastPlain) this.#options.terminal.write(`${line}\n`);
    this.#lastPlain = line;
  }

  #perSecond(): number {
    const at = this.#options.clock.now();
    const completed = this.#options.gateway.stats().outcomes["completed"] ?? 0;
    this.#history.push({ at, completed });
    while ((this.#history[1]?.at ?? at) <= at - RATE_WINDOW_MS) this.#history.shift();
    const first = this.#history[0];
    return first === undefined ? 0 : rate(first.completed, completed, at - first.at);
  }
}
