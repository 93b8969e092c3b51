// graphql-ws: follows one operation and prints each answer on a line; at the end how it ended.
// node follow.mjs ADDRESS REQUEST [CONNECTION_PARAMS] [MOST]
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [address, request, params, most] = process.argv.slice(2);
const client = createClient({
  url: `${address.replace("http", "ws")}/graphql/ws`,
  webSocketImpl: WebSocket,
  retryAttempts: 0,
  lazy: true,
  connectionParams: params ? JSON.parse(params) : undefined,
  on: { connected: () => console.log(JSON.stringify({ connected: true })) },
});
let left = Number(most || Infinity);
setTimeout(() => {
  console.error("nothing more is told");
  process.exit(1);
}, 120_000).unref();
const ended = await new Promise((resolve) => {
  const stop = client.subscribe(JSON.parse(request), {
    next: (answer) => {
      console.log(JSON.stringify(answer));
      left -= 1;
      if (left === 0) stop();
    },
    error: (error) => resolve(error instanceof Array ? { errors: error } : { code: error.code, reason: error.reason ?? String(error) }),
    complete: () => resolve({ complete: true }),
  });
});
console.log(JSON.stringify({ ended }));
await client.dispose();
process.exit(0);
