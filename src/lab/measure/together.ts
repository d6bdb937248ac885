import type { Ms } from "../../core/units.ts";
import type { RunObserver } from "../load/run.ts";
import type { Visit } from "../load/types.ts";
import type { Recorder } from "./recorder.ts";

/** Somebody else who hears of requests. */
export interface Listener {
  readonly phaseBegan?: (at: Ms) => void;
  readonly sent?: (visit: Visit) => void;
  readonly ended?: (visit: Visit) => void;
}

/** A recorder, and who else listens. */
export function together(recorder: Recorder, { phaseBegan, sent, ended }: Listener): RunObserver {
  return {
    phaseBegan: (phase, at) => {
      phaseBegan?.(at);
      recorder.phaseBegan(phase, at);
    },
    phaseEnded: (phase, at) => recorder.phaseEnded(phase, at),
    sent: (visit) => {
      sent?.(visit);
      recorder.sent(visit);
    },
    gap: (visit, gap) => recorder.gap(visit, gap),
    ended: (visit) => {
      recorder.ended(visit);
      ended?.(visit);
    },
  };
}
