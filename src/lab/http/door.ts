import type { Cancel } from "../../contracts/clock.ts";
import type { AnswerListener, Door, Question } from "../load/types.ts";
import { Answer, Connection } from "./connection.ts";
import { firstModel } from "./models.ts";
import { type RequestFacts, writeRequest } from "./request.ts";
import { readTarget, type Target } from "./target.ts";

export interface HttpDoorOptions {
  /** Of the server: `http://127.0.0.1:8080`, with or without `/v1`. */
  readonly url: string;
  /** For questions that name none. `undefined`: the first one that the server lists. */
  readonly model?: string | undefined;
  /** The key to ask for the list of models with. */
  readonly key?: string;
  /** Milliseconds of scenario time in one of the server's: 1, the default, for a gate and a model that run at the same speed as the scenario. */
  readonly headerTimeScale?: number;
  /** Where this run's prompts begin, so that a server that has seen another run's meets new ones. Default 0. */
  readonly firstNumber?: number;
}

/** Opens the way to a server. Rejects where it is asked for its models and names none. */
export async function openDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const target = readTarget(options.url);
  const model = options.model ?? (await firstModel(target, options.key ?? ""));
  return new HttpDoor(target, {
    model,
    firstNumber: options.firstNumber ?? 0,
    timeScale: options.headerTimeScale ?? 1,
  });
}

interface HttpDoorFacts {
  readonly model: string;
  readonly firstNumber: number;
  readonly timeScale: number;
}

/**
 * Requests to a real server. Each has a connection of its own; one that is free again is used again, the latest first. There
 * are as many as requests are open at once: whoever limits them, it is not the client.
 */
export class HttpDoor implements Door {
  readonly #origin: string;
  readonly #facts: RequestFacts;
  readonly #timeScale: number;
  readonly #connections = new Set<Connection>();
  readonly #free: Connection[] = [];
  #isClosed = false;

  constructor({ origin, base }: Target, { model, firstNumber, timeScale }: HttpDoorFacts) {
    this.#origin = origin;
    this.#facts = { base, model, firstNumber };
    this.#timeScale = timeScale;
  }

  ask(question: Question, listener: AnswerListener): Cancel {
    if (this.#isClosed) throw new Error("the door is closed");
    const connection = (question.fresh ? undefined : this.#free.pop()) ?? this.#open();
    const over = (): void => {
      if (question.fresh) this.#drop(connection);
      else this.#free.push(connection);
    };
    const answer = new Answer({ api: question.api, listener, timeScale: this.#timeScale, over });
    connection.send(writeRequest(question, this.#facts), answer);
    return () => {
      if (!answer.isOver) this.#drop(connection);
    };
  }

  /** Hangs up on everybody. Resolves when all sockets are closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#connections];
    this.#connections.clear();
    this.#free.length = 0;
    await Promise.all(all.map((connection) => connection.destroy()));
  }

  #open(): Connection {
    const connection = new Connection(this.#origin);
    this.#connections.add(connection);
    return connection;
  }

  #drop(connection: Connection): void {
    this.#connections.delete(connection);
    void connection.destroy();
  }
}
