/** Turns the messages of a chat request into the text that the model continues. Does what CHAT_TEMPLATE says. */
import { invalid } from "./http.mjs";
import { ROLES, roleMarker } from "./vocabulary.mjs";

/** Roles of the OpenAI dialect that this model has no marker for. */
const ROLE_STAND_INS = new Map([
  ["developer", "system"],
  ["tool", "user"],
]);

/**
 * @param {unknown} messages `[{ role, content }]`, where content is a string or a list of text parts.
 * @returns {string}
 */
export function formatChat(messages) {
  if (!Array.isArray(messages) || messages.length === 0) throw invalid("'messages' must be a list with an entry in it");
  return messages.map(formatMessage).join("") + roleMarker("assistant");
}

/** @param {{ role?: unknown, content?: unknown }} message */
function formatMessage({ role, content }) {
  const known = ROLE_STAND_INS.get(String(role)) ?? String(role);
  if (!ROLES.includes(known)) throw invalid(`unknown role '${known}'`);
  return roleMarker(known) + textOf(content);
}

/**
 * @param {unknown} content
 * @returns {string}
 */
export function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw invalid("content must be a string or a list of text parts");
  return content.map(textOfPart).join("");
}

/** @param {{ type?: unknown, text?: unknown }} part */
function textOfPart({ type, text }) {
  if (type !== "text" || typeof text !== "string") throw invalid(`content parts must be text, not '${String(type)}'`);
  return text;
}
