import type { OutlineEntry } from "./outline.ts";
import { formatOutlinePath } from "./outline.ts";
import { OWN_GUIDE } from "./own-guide.ts";

/** The page `docs/reference/configuration.md`, from the schema alone. It stands as the formatter would leave it. */
export function referencePage(): string {
  return [HEAD, ...OWN_GUIDE.outline.entries.filter(isNew).map(formatEntry), formatComing()].join("\n\n") + "\n";
}

/** An exception has the keys of \`limits\`, and nobody wants to read them twice. */
function isNew({ path }: OutlineEntry): boolean {
  return !(path.includes("exceptions") && path.at(-1) !== "exceptions");
}

const HEAD = `# Configuration

<!-- Generated from the schema in src/config/schema. Change it there. -->

\`headgate serve\` reads \`headgate.yaml\`, a file in YAML 1.2:

\`\`\`yaml
server:
  port: 8080
deployments:
  qwen3:
    models: [qwen3-235b-thinking, "*"]
    backends:
      - url: http://127.0.0.1:8081
        api_key: "\${NIM_API_KEY:-}"
      - http://127.0.0.1:8082
    max_concurrent: 5
    queue: { max_length: 200, max_wait: 5m }
    capacity: { requests_per_minute: 60, utilization_threshold: 80% }
    limits: { requests_per_minute: 30, tokens_per_hour: 2M }
    exceptions:
      intern-notebook: { requests_per_minute: 5 }
    reservations:
      fraud-check: 40%
consumers:
  fraud-check: { kind: deployment, keys: ["sha256:8f43…"] }
  intern-notebook: { kind: user, keys: ["sha256:1b90…"] }
\`\`\`

All mistakes of a file are reported at once, each with line and column, the rule and the value. Nothing is replaced by a
default in silence, and an unknown key is an error.

## Values

- Numbers take \`k\` (thousand) and \`M\` (million): \`160k\`, \`1.5M\`.
- Durations have a unit: \`500ms\`, \`30s\`, \`5m\`, \`1h\`.
- Sizes have a unit: \`32MB\` is 32 million bytes, \`32MiB\` is 32 × 1024 × 1024. The units are \`B\`, \`kB\`, \`MB\`, \`GB\`, \`KiB\`,
  \`MiB\` and \`GiB\`.
- Percentages have their sign: \`80%\`.
- A key with nothing behind it is an error, not a default. Leave the key out instead.

## Variables

References to environment variables are filled into values, never into keys, after the file is parsed. What is filled in is
text and is not read as YAML again.

- \`\${NAME}\` is the variable; it is an error if it is not set.
- \`\${NAME:-default}\` is the default if the variable is not set or empty.
- \`\${NAME:?message}\` is an error with that message if the variable is not set or empty.
- \`$$\` is a dollar sign. A \`$\` before anything but \`$\` and \`{\` stands for itself.

Inside \`{ }\` and \`[ ]\` a reference needs quotes: \`{ port: "\${PORT}" }\`. Messages show the reference and never the value of a
variable.

## Editors

The package has a JSON Schema (draft-07) of the file. With it, an editor knows every key and shows what it means. For the YAML
language server, the first line of the file says where the schema is:

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/headgate/schema/headgate.schema.json
\`\`\`

## Keys`;

/** The section of one key in a reference page. */
export function formatEntry({ path, schema, required }: OutlineEntry): string {
  const facts = [
    `- value: ${schema.title ?? collection(schema.type)}`,
    required ? "- required" : schema.default === undefined ? "- optional" : `- default: ${formatDefault(schema)}`,
  ];
  return [`### \`${formatOutlinePath(path)}\``, schema.description ?? "", facts.join("\n")].join("\n\n");
}

function collection(type: unknown): string {
  return type === "array" ? "list" : "mapping";
}

function formatDefault({ default: value, properties }: OutlineEntry["schema"]): string {
  if (Array.isArray(value) && value.length === 0) return "none";
  if (typeof value === "object" && !Array.isArray(value)) {
    return properties === undefined ? "none" : "the defaults of its keys";
  }
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function formatComing(): string {
  const keys = OWN_GUIDE.coming.map((key) => `\`${key}\``).join(", ");
  return `## Not in this version

These keys come with the next release. Until then a file that has one at the top is refused, with a message that says so:
${keys}.`;
}
