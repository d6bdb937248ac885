// Ten questions through the openai client, no more than two in any second.
import { limitedFetch, RateLimiter } from "headgate/batch";
import OpenAI from "openai";

const limiter = new RateLimiter({ limits: ["2/s", "200000tok/m"], concurrency: 20 });
const openai = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:8081/v1",
  apiKey: process.env.OPENAI_API_KEY ?? "none",
  maxRetries: 0, // The limiter retries what was refused.
  // A guess; the answers say what they really used.
  fetch: limitedFetch(limiter, { tokensOf: (body) => 100 + (body.max_tokens ?? 1_000) }),
});

const ask = (content) =>
  openai.chat.completions.create({ model: "any", max_tokens: 20, messages: [{ role: "user", content }] });
const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => ask(`Question ${index}?`)));

const { sent, fullest } = limiter.stats();
console.log(`${answers.length} answers, ${sent} requests, at most ${fullest[0].amount} in any second`);
limiter.close();
