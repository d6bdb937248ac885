import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AdmissionPlace, Charge } from "../../src/engine/admission/types.ts";
import { type Ask, asks, CONSUMERS, Site, terms } from "./admission-site.ts";

/** One request and everything that it hears. */
interface Client {
  readonly ask: Ask;
  readonly order: number;
  heard: number;
  gone: boolean;
  charge: Charge | undefined;
  place: AdmissionPlace | undefined;
}

const moves = fc.array(fc.record({ kind: fc.constantFrom("settle", "leave", "none"), pick: fc.nat(1_000) }), {
  maxLength: 60,
});

test("whoever waits is answered once, in the order of its consumer, and nothing is left in the end", () => {
  fc.assert(
    fc.property(terms, asks(CONSUMERS), moves, fc.boolean(), (terms, history, moves, drains) => {
      const site = new Site(terms, "queue");
      const clients: Client[] = [];
      const admissions: Client[] = [];
      for (const [index, ask] of history.entries()) {
        const client: Client = { ask, order: index, heard: 0, gone: false, charge: undefined, place: undefined };
        const admit = (charge: Charge): void => {
          client.heard += 1;
          client.charge = charge;
          admissions.push(client);
        };
        const verdict = site.ask(ask, { admitted: admit, refused: () => (client.heard += 1) }, 4_000);
        clients.push(client);
        if (verdict.kind === "admit") admit(verdict.charge);
        if (verdict.kind === "refuse") client.heard += 1;
        if (verdict.kind === "wait") client.place = verdict.place;
        const move = moves[index];
        const other = clients[(move?.pick ?? 0) % clients.length];
        if (move?.kind === "settle" && other?.charge?.settled === false) other.charge.settle("nothing");
        if (move?.kind === "leave" && other?.place?.leave() === true) other.gone = true;
        expect(site.admission.snapshot().waiting).toBeLessThanOrEqual(20);
      }
      if (drains) site.admission.drain();
      site.clock.advance(4_000);
      for (const { charge } of clients) if (charge?.settled === false) charge.settle({ input: 1, output: 1 });

      for (const { heard, gone } of clients) expect(heard).toBe(gone ? 0 : 1);
      for (const name of CONSUMERS) {
        const orders = admissions.filter(({ ask }) => ask.consumer === name).map(({ order }) => order);
        expect(orders).toEqual(orders.toSorted((a, b) => a - b));
      }
      expect(site.admission.snapshot()).toMatchObject({ running: 0, waiting: 0, lateSettlements: 0 });
      expect(site.clock.pending).toBe(0);
    }),
    { numRuns: 300 },
  );
});
