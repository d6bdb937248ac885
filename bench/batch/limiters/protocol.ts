/** What the article's API allows, and how long a call takes. */
export const LIMIT = { amount: 2, windowMs: 1_000, leastMs: 2_000, mostMs: 5_000 } as const;

export const CALLS = 10;

export type ServerCommand = { readonly kind: "start"; readonly seed: number } | { readonly kind: "stop" };

export type ServerReply =
  | { readonly kind: "started"; readonly port: number }
  | {
      readonly kind: "stopped";
      readonly refused: number;
      /** The most that arrived in any window, by the server's clock. */
      readonly worst: number;
    };
