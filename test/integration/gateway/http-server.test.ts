/** Slow, silent and late clients of the HTTP front. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { type HttpServer, startHttpServer } from "../../../src/gateway/http/http-server.ts";
import { until } from "./support/gateway-rig.ts";

let server: HttpServer;
const sockets: Socket[] = [];
/** Answers that wait to be given. */
const held: (() => void)[] = [];
afterEach(async () => {
  held.length = 0;
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close(0);
});

async function open(bounds: { requestTimeoutMs?: number; headersTimeoutMs?: number } = {}): Promise<void> {
  server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    bounds,
    onRequest: (request, response) => {
      request.resume();
      if (request.url === "/held") held.push(() => void response.end("done"));
      else request.once("end", () => response.end("done"));
    },
  });
}

async function dial(): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(server.port, "127.0.0.1");
  sockets.push(socket);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return { socket, text: () => text };
}

it("a client that sends its body drop by drop is cut off", async () => {
  await open({ requestTimeoutMs: 300, headersTimeoutMs: 300 });
  const { socket, text } = await dial();
  socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nab");
  await until(() => socket.destroyed || text() !== "");
  await until(() => socket.destroyed);
  expect(text()).toMatch(/^(HTTP\/1.1 408 Request Timeout|$)/);
});

it("a stop waits for the answer that is on, and for no connection that never sent anything", async () => {
  await open();
  const busy = await dial();
  const silent = await dial();
  const kept = await dial();
  kept.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await until(() => kept.text().endsWith("done"));
  busy.socket.write("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
  await until(() => held.length === 1);
  const closing = server.close(30_000);
  await until(() => silent.socket.destroyed && kept.socket.destroyed);
  expect(busy.socket.destroyed).toBe(false);
  held[0]?.();
  await closing;
  await until(() => busy.text().endsWith("done"));
});

it("a stop ends what goes on for longer than the grace", async () => {
  await open();
  const { socket, text } = await dial();
  socket.write("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
  await until(() => held.length === 1);
  await server.close(10);
  await until(() => socket.destroyed);
  expect(text()).toBe("");
});

it("a port that is taken is named", async () => {
  await open();
  const again = startHttpServer({ host: "127.0.0.1", port: server.port, onRequest: () => undefined });
  await expect(again).rejects.toThrow(`Cannot listen on 127.0.0.1:${server.port}`);
});
