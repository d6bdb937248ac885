import { BARE_REFUSAL } from "../wire/answer.ts";
import { startNative } from "./native.ts";
import type { Proxy, ProxyOptions } from "./proxy.ts";

/** One worker, connections to the backend kept open, answers passed on as they come, no log. */
export function startNginx({ role, backendPort }: ProxyOptions): Promise<Proxy> {
  const location =
    role === "refuse"
      ? `default_type application/json; return 429 '${BARE_REFUSAL}';`
      : `proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 1h;`;
  return startNative({
    name: "nginx",
    args: (file) => ["-c", file],
    config: (port, folder) => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 100000000;
  upstream model { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { ${location} }
  }
}
`,
  });
}
