// Ten questions through LangChain.js, no more than two in any second.
import { ChatOpenAI } from "@langchain/openai";
import { limitedFetch, RateLimiter } from "headgate/batch";

const limiter = new RateLimiter({ limits: ["2/s"], concurrency: 20 });
const model = new ChatOpenAI({
  model: "any",
  maxTokens: 20,
  maxRetries: 0, // The limiter retries what was refused.
  apiKey: process.env.OPENAI_API_KEY ?? "none",
  configuration: {
    baseURL: process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:8081/v1",
    fetch: limitedFetch(limiter),
  },
});
const answers = await model.batch(Array.from({ length: 10 }, (_, index) => `Question ${index}?`));

const { sent, fullest } = limiter.stats();
console.log(`${answers.length} answers, ${sent} requests, at most ${fullest[0].amount} in any second`);
limiter.close();
