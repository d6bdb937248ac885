import { comingKeys } from "./keys.ts";
import type { OutlineEntry } from "./outline.ts";
import { formatOutlinePath, OUTLINE } from "./outline.ts";

/** The page `docs/reference/configuration.md`, from the schema alone. It stands as the formatter would leave it. */
export function referencePage(): string {
  return [HEAD, ...OUTLINE.map(formatEntry), formatComing()].join("\n\n") + "\n";
}

const HEAD = `# Configuration

<!-- Generated from the schema in src/config/schema.ts. Change it there. -->

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
\`\`\`

All mistakes of a file are reported at once, each with line and column, the rule and the value. Nothing is replaced by a
default in silence, and an unknown key is an error.

## Values

- Numbers take \`k\` (thousand) and \`M\` (million): \`160k\`, \`1.5M\`.
- Durations have a unit: \`500ms\`, \`30s\`, \`5m\`, \`1h\`.
- Sizes have a unit: \`32MB\` is 32 million bytes, \`32MiB\` is 32 × 1024 × 1024. The units are \`B\`, \`kB\`, \`MB\`, \`GB\`, \`KiB\`,
  \`MiB\` and \`GiB\`.
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

## Keys`;

function formatEntry({ path, schema, required }: OutlineEntry): string {
  const facts = [
    `- value: ${schema.title ?? collection(schema.type)}`,
    required
      ? "- required"
      : schema.default === undefined
        ? "- optional"
        : `- default: ${formatDefault(schema.default)}`,
  ];
  return [`### \`${formatOutlinePath(path)}\``, schema.description ?? "", facts.join("\n")].join("\n\n");
}

function collection(type: unknown): string {
  return type === "array" ? "list" : "mapping";
}

function formatDefault(value: unknown): string {
  if (typeof value === "object" && !Array.isArray(value)) return "the defaults of its keys";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function formatComing(): string {
  const top = comingKeys([]).map((key) => `\`${key}\``);
  const inDeployment = comingKeys(["deployments", "any"]).map((key) => `\`${key}\``);
  return `## Not in this version

These keys come with the next release. Until then a file that has one is refused, with a message that says so: at the top
${top.join(", ")}; in a deployment ${inDeployment.join(", ")}.`;
}
