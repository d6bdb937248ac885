export const SSE_TYPE = "text/event-stream; charset=utf-8";

/** An event without a name. */
export function sseData(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** An event whose name is repeated as `type` in its data. */
export function sseEvent(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

export const SSE_DONE = "data: [DONE]\n\n";
