import type { Clock } from "../../contracts/clock.ts";
import type { Ms } from "../../core/units.ts";
import type { Gateway } from "../../gateway/index.ts";
import type { Palette, Terminal } from "../terminal.ts";
import { frame, plainLine, rate } from "./frame.ts";
import { type Picture, Repaint } from "./repaint.ts";

/** The rate is that of the last few seconds. */
const RATE_WINDOW_MS: Ms = 5_000;

export interface LiveViewOptions {
  readonly gateway: Gateway;
  readonly terminal: Terminal;
  readonly palette: Palette;
  readonly clock: Clock;
}

/** Shows what the gate does until it is stopped. */
export class LiveView implements Picture {
  readonly #options: LiveViewOptions;
  readonly #history: { at: Ms; completed: number }[] = [];
  readonly #repaint: Repaint;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#repaint = new Repaint(this, options.terminal, options.clock);
  }

  start(): void {
    this.#repaint.start();
  }

  stop(): void {
    this.#repaint.stop();
  }

  lines(columns: number): readonly string[] {
    const { gateway, palette } = this.#options;
    return frame({ stats: gateway.stats(), perSecond: this.#perSecond(), columns }, palette);
  }

  plain(): string {
    return plainLine({ stats: this.#options.gateway.stats(), perSecond: this.#perSecond(), columns: 0 });
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
