import type { Cancel, Clock } from "../../contracts/clock.ts";
import type { Tokens } from "../../core/units.ts";
import type { AnswerHead, AnswerListener, Door, Question } from "../load/types.ts";
import type { Passage, VirtualGate } from "./virtual-gate.ts";
import type { VirtualModel } from "./virtual-model.ts";

const ANSWERED: AnswerHead = { status: 200, outcome: "", queueMs: 0, retryAfterMs: undefined, shouldRetry: undefined };

/** A model on virtual time, with or without a gate in front. Nothing takes time on the way. */
export class VirtualDoor implements Door {
  readonly #clock: Clock;
  readonly #model: VirtualModel;
  readonly #gate: VirtualGate | undefined;

  constructor(clock: Clock, model: VirtualModel, gate: VirtualGate | undefined) {
    this.#clock = clock;
    this.#model = model;
    this.#gate = gate;
  }

  ask(question: Question, listener: AnswerListener): Cancel {
    let leave: Cancel = () => {};
    let isLeft = false;
    const run = (passage: Passage | undefined): void => {
      leave = this.#run(question, listener, passage);
    };
    if (this.#gate === undefined) {
      // Nobody hears anything before `ask` has returned; at the model it has arrived.
      run(undefined);
      return () => leave();
    }
    const leaveGate = this.#gate.enter(question, {
      admitted: run,
      refused: (head) => {
        // Not on the stack of whoever asks.
        leave = this.#clock.after(0, () => {
          listener.began(head);
          listener.ended({ kind: "complete", inputTokens: undefined, outputTokens: undefined });
        });
      },
    });
    return () => {
      if (isLeft) return;
      isLeft = true;
      leaveGate();
      leave();
    };
  }

  #run(question: Question, listener: AnswerListener, passage: Passage | undefined): Cancel {
    if (!this.#model.takes(question)) return this.#turnAway(listener, passage);
    let output: Tokens = 0;
    const head: AnswerHead = passage === undefined ? ANSWERED : { ...ANSWERED, queueMs: Math.round(passage.waitedMs) };
    const abort = this.#model.run(question, {
      token: () => {
        output += 1;
        passage?.progress(output);
        if (!question.stream) return;
        if (output === 1) listener.began(head);
        listener.content(1);
      },
      end: () => {
        passage?.settle("completed", output);
        if (!question.stream || output === 0) listener.began(head);
        if (!question.stream) listener.content(1);
        listener.ended({ kind: "complete", inputTokens: question.promptTokens, outputTokens: output });
      },
    });
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      abort();
      if (passage !== undefined && !passage.lease.settled) passage.settle("client_closed", output);
    };
  }

  /** As the model's server does with a prompt that is longer than its context. */
  #turnAway(listener: AnswerListener, passage: Passage | undefined): Cancel {
    return this.#clock.after(0, () => {
      passage?.settle("completed", 0);
      listener.began({ ...ANSWERED, status: 400 });
      listener.ended({ kind: "complete", inputTokens: undefined, outputTokens: undefined });
    });
  }
}
