// A broadcaster as the package `ws` makes it easy: one text for all. For a line `COUNT BYTES` it tells so many messages.
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false });
server.on("listening", () => console.log("ready"));
createInterface({ input: process.stdin }).on("line", line => {
  const [count, bytes] = line.split(" ").map(Number);
  for (let n = 0; n < count; n++) {
    const text = JSON.stringify({ seq: n, topic: "t", type: "told", data: { text: "x".repeat(bytes), at: new Date().toISOString() } });
    const frame = Buffer.from(text);
    for (const client of server.clients) client.send(frame, { binary: false });
  }
  console.log("told");
}).on("close", () => process.exit(0));
