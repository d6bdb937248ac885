export { refusalError } from "./answers.ts";
export { Authenticator } from "./authenticator.ts";
export type { Caller, Identified } from "./identification.ts";
export { digestOf, looksLikeKey, newKey } from "./key.ts";
