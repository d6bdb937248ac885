// The gate inside a program of your own: two requests at once reach the backend, the third waits.
import { createServer } from "node:http";

import { createGateway, simpleConfig } from "headgate";

const backend = createServer((request, response) => {
  request.resume().on("end", () => response.end('{"answer":42}'));
}).listen(0, "127.0.0.1");
await new Promise((resolve) => backend.once("listening", resolve));

const settings = simpleConfig({
  port: 0,
  backends: [`http://127.0.0.1:${backend.address().port}`],
  maxConcurrent: 2,
});
if (settings.kind === "invalid")
  throw new Error(settings.problems.map(({ path, rule }) => `${path} ${rule}`).join("\n"));

const gateway = createGateway(settings.config);
const { port } = await gateway.listen();

const ask = () =>
  fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "any", messages: [{ role: "user", content: "The answer?" }] }),
  });
const answers = await Promise.all([ask(), ask(), ask()]);
for (const answer of answers) console.log(answer.status, await answer.text());

const { seats, admitted } = gateway.stats();
console.log(`${admitted} admitted through ${seats} seats`);

await gateway.drain(1_000);
backend.close();
