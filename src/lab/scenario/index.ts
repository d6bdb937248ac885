export { BACKEND_PLACEHOLDER } from "./gate-tree.ts";
export { configFor, gateFile } from "./gate-file.ts";
export { findScenario, listScenarios } from "./library.ts";
export type { ScenarioResult, ScenarioSource } from "./read.ts";
export { parseScenario, readScenario } from "./read.ts";
export { scenarioReferencePage } from "./reference.ts";
export { starterScenario } from "./starter.ts";
