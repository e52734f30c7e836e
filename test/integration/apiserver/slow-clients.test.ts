/** What clients that send slowly may cost the embedded API server, and that a watch, which answers slowly, is none of them. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";
import { HttpsListener } from "../../../src/embedded/apiserver/http/listener.ts";

const patience = { headersMs: 300, requestMs: 600, checkingMs: 50 };
const waiting = { timeout: 30_000 };
const open: Socket[] = [];
let listener: HttpsListener;
let port: number;

beforeAll(async () => {
  const authority = await createCertificateAuthority("test");
  const { certPem, keyPem } = await issueServerCertificate(authority, {
    commonName: "api",
    ipAddresses: ["127.0.0.1"],
  });
  listener = new HttpsListener({
    ...{ host: "127.0.0.1", port: 0, certPem, keyPem, clientCaPem: authority.certPem, logger: silentLogger, patience },
    handle: async (request, response) => {
      if (request.url !== "/watch") for await (const _ of request);
      response.write("begun\n");
      if (request.url !== "/watch") return void response.end();
      setTimeout(() => response.end("still there\n"), 4 * patience.requestMs);
    },
  });
  port = await listener.listen();
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await listener.close();
});

function keep<T extends Socket>(socket: T): { readonly socket: T; readonly ended: Promise<unknown>; said(): string } {
  open.push(socket);
  let text = "";
  socket.on("data", (bytes: Buffer) => (text += bytes.toString())).on("error", () => undefined);
  return { socket, ended: new Promise((resolve) => socket.once("close", resolve)), said: () => text };
}

const dial = () => keep(connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }));

test.each([
  { what: "headers without an end", begin: "GET / HTTP/1.1\r\nhost: a\r\n", drop: "x-a: b\r\n" },
  { what: "a body without an end", begin: "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\n", drop: "x" },
])(
  "who sends $what is cut off",
  async ({ begin, drop }) => {
    const { socket, ended } = dial();
    socket.write(begin);
    const dripping = setInterval(() => socket.write(drop), 20);
    await ended;
    clearInterval(dripping);
  },
  30_000,
);

test("who never finishes the handshake is cut off", () => keep(connectTcp(port, "127.0.0.1")).ended, 30_000);

test("a watch may answer for as long as it likes", async () => {
  const { socket, said } = dial();
  socket.write("GET /watch HTTP/1.1\r\nhost: a\r\n\r\n");
  await expect.poll(said, waiting).toMatch(/still there/);
}, 40_000);
