// Ten questions by hand, no more than two in any second: take a permit, send, tell the limiter what came back.
import { RateLimiter } from "headgate/batch";

const url = `${process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:8081/v1"}/chat/completions`;
const limiter = new RateLimiter({ limits: ["2/s", "200000tok/m"], concurrency: 20 });

async function ask(content) {
  const body = JSON.stringify({ model: "any", max_tokens: 20, messages: [{ role: "user", content }] });
  for (;;) {
    const permit = await limiter.acquire({ tokens: 120 });
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const answer = await response.json();
    const signal = { status: response.status, headers: Object.fromEntries(response.headers), error: answer };
    const seen = limiter.observe(signal, permit);
    permit.settle(answer.usage?.total_tokens);
    if (seen.kind !== "paused") return answer;
  }
}
const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => ask(`Question ${index}?`)));

const { sent, fullest } = limiter.stats();
console.log(`${answers.length} answers, ${sent} requests, at most ${fullest[0].amount} in any second`);
limiter.close();
