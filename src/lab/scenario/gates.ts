import type { ConfigPath, Finding } from "../../config/tools.ts";
import { error, isMapping, judge, valueAt } from "../../config/tools.ts";
import { complete, isGroup, type Mapping, type Member, merge, toMapping } from "./gate-tree.ts";
import type { GateSection } from "./types.ts";
import { given, namesIn, type ScenarioView } from "./view.ts";

/** The gate of a scenario in all its states. */
export interface Gates {
  readonly first: GateSection | undefined;
  /** One for each phase; `undefined` where a phase changes nothing. */
  readonly changes: readonly (GateSection | undefined)[];
  /** What the file says of the gate that is in force in each phase, right or wrong; `undefined` where there is none. */
  readonly inForce: readonly (Mapping | undefined)[];
  readonly findings: readonly Finding[];
}

/** Judges the gate and each change to it by the rules of `headgate.yaml`. */
export function judgeGates(view: ScenarioView, members: readonly Member[]): Gates {
  const raw = valueAt(view.tree, ["gate"]);
  const findings: Finding[] = [];
  let state: State | undefined;
  if (isMapping(raw)) {
    const { tree, forbidden } = withoutForbidden(raw, ["gate"]);
    state = judgeState(tree, members);
    findings.push(...forbidden, ...groupsThatAsk(tree, ["gate"], members), ...placed(state.findings, ["gate"]));
  }
  const first = state?.section;
  const changes: (GateSection | undefined)[] = [];
  const inForce: (Mapping | undefined)[] = [];
  for (const phase of view.phases) {
    const path = [...phase.path, "gate"];
    const edit = valueAt(view.tree, path);
    let change: GateSection | undefined;
    if (isMapping(edit) && state !== undefined) {
      const { tree, forbidden } = withoutForbidden(edit, path);
      const next = judgeState(toMapping(merge(state.tree, tree)), members);
      const known = new Set(state.findings.map(nameOf));
      const news = next.findings.filter((finding) => !known.has(nameOf(finding)));
      findings.push(...forbidden, ...groupsThatAsk(tree, path, members), ...placed(news, path));
      state = next;
      change = next.section;
    } else if (phase.hasGate && !given(view.tree, ["gate"])) {
      const hint = "gate: at the top is what stands in front of the model from the beginning";
      findings.push(error(path, "has no gate that it could change", { at: "key", hint }));
    }
    changes.push(change);
    inForce.push(state?.tree);
  }
  return { first, changes, inForce, findings };
}

interface State {
  /** As the file has it. */
  readonly tree: Mapping;
  readonly section: GateSection | undefined;
  /** Paths are those of the file. */
  readonly findings: readonly Finding[];
}

function judgeState(tree: Mapping, members: readonly Member[]): State {
  const whole = complete(tree, members);
  const { config, findings } = judge(whole);
  const families = new Map(members.map(({ name, family }) => [name, family]));
  const own = findings.filter(({ path }) => !isFilledIn(path)).map((finding) => inTheFile(finding, families));
  const unlike = new Map(own.map((finding) => [nameOf(finding), finding]));
  return {
    tree,
    section: config === undefined ? undefined : { tree: whole, config },
    findings: [...unlike.values()],
  };
}

/** What the lab has written is right, or its mistake is known by another place. */
function isFilledIn([section, , key]: ConfigPath): boolean {
  return (section === "deployments" && key === "backends") || (section === "consumers" && key === "keys");
}

/** A mistake of each of forty that are alike is one mistake. */
function inTheFile(finding: Finding, families: ReadonlyMap<string, string>): Finding {
  const [section, name, ...rest] = finding.path;
  const family = section === "consumers" && typeof name === "string" ? families.get(name) : undefined;
  return family === undefined ? finding : { ...finding, path: ["consumers", family, ...rest] };
}

function nameOf({ path, rule }: Finding): string {
  return JSON.stringify([path, rule]);
}

function placed(findings: readonly Finding[], at: ConfigPath): readonly Finding[] {
  return findings.map((finding) => ({ ...finding, path: [...at, ...finding.path] }));
}

const NOT_HERE = "is not part of a scenario";

/** Takes out what the lab fills in itself, and says so. */
function withoutForbidden(
  raw: object,
  at: ConfigPath,
): { readonly tree: Mapping; readonly forbidden: readonly Finding[] } {
  const forbidden: Finding[] = [];
  const without = (value: unknown, path: ConfigPath, keys: Readonly<Record<string, string>>): unknown => {
    if (!isMapping(value)) return value;
    const found = Object.keys(value).filter((key) => Object.hasOwn(keys, key));
    forbidden.push(...found.map((key) => error([...path, key], NOT_HERE, { at: "key", hint: keys[key] })));
    return Object.fromEntries(Object.entries(value).filter(([key]) => !found.includes(key)));
  };
  const inEach = (section: string, keys: Readonly<Record<string, string>>): Mapping => {
    const all = valueAt(raw, [section]);
    if (!isMapping(all)) return all === undefined ? {} : { [section]: all };
    const path = [...at, section];
    return {
      [section]: Object.fromEntries(
        Object.entries(all).map(([name, one]) => [name, without(one, [...path, name], keys)]),
      ),
    };
  };
  const top = without(raw, at, {
    server: "the lab listens on 127.0.0.1",
    admin: "the lab looks at the gate by itself",
    identity: "consumers of a scenario show keys",
    jwt: "consumers of a scenario show keys",
  });
  const tree = {
    ...toMapping(top),
    ...inEach("deployments", { backends: "the lab puts the model behind each deployment" }),
    ...inEach("consumers", { keys: "the lab makes keys for those who send load; consumers.NAME.key gives another" }),
  };
  return { tree, forbidden };
}

function groupsThatAsk(tree: Mapping, at: ConfigPath, members: readonly Member[]): readonly Finding[] {
  const families = new Set(members.flatMap(({ name, family }) => [name, family]));
  return namesIn(tree["consumers"])
    .filter((name) => families.has(name) && isGroup(valueAt(tree, ["consumers", name])))
    .map((name) =>
      error([...at, "consumers", name, "kind"], "is group, but it sends load, and a group does not ask itself", {
        hint: "groups: [NAME] makes it a member of one",
      }),
    );
}
