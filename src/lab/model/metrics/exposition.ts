import type { Histogram } from "./histogram.ts";

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
}

/** Prometheus' text format 0.0.4. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Writes one page of metrics. */
export class Exposition {
  #text = "";

  counter(family: Family, samples: readonly Sample[]): void {
    this.#head(family, "counter");
    for (const { labels, value } of samples) this.#line(family.name, labels, value);
  }

  gauge(family: Family, samples: readonly Sample[]): void {
    this.#head(family, "gauge");
    for (const { labels, value } of samples) this.#line(family.name, labels, value);
  }

  histogram(family: Family, labels: Labels, histogram: Histogram): void {
    this.#head(family, "histogram");
    const counts = histogram.cumulative();
    for (const [index, bound] of histogram.bounds.entries()) {
      this.#line(`${family.name}_bucket`, { ...labels, le: String(bound) }, counts[index] ?? 0);
    }
    this.#line(`${family.name}_bucket`, { ...labels, le: "+Inf" }, histogram.count);
    this.#line(`${family.name}_sum`, labels, histogram.sum);
    this.#line(`${family.name}_count`, labels, histogram.count);
  }

  toString(): string {
    return this.#text;
  }

  #head({ name, help }: Family, type: "counter" | "gauge" | "histogram"): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  #line(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`);
    this.#text += `${name}{${pairs.join(",")}} ${value}\n`;
  }
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
