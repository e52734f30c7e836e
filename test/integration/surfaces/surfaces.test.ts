/** What strangers may cost each server of ours that listens: the rows of the table in docs/resilience.md, held to what they say. */
import { afterEach, describe, expect, test } from "vitest";
import type { FrontBounds } from "../../../src/base/http-front.ts";
import { ask, dial, drip, hangUp } from "./clients.ts";
import { type Running, type Surface, surfaces } from "./surfaces.ts";

const patienceMs = 60_000;
const impatient: Partial<FrontBounds> = { headersTimeoutMs: 300, requestTimeoutMs: 600, idleTimeoutMs: 100 };
const get = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";

const started: Running[] = [];
afterEach(async () => {
  hangUp();
  for (const running of started.splice(0)) await running.close();
});

async function start(surface: Surface, bounds: Partial<FrontBounds>): Promise<Running> {
  const running = await surface.start(bounds);
  started.push(running);
  return running;
}

function callOf({ takes }: Surface, body: string | undefined, length = body?.length ?? 0): string {
  const { path = "/", method = "POST", headers = {} } = takes ?? {};
  const lines = Object.entries({ host: "a", ...headers, "content-length": length }).map((line) => line.join(": "));
  return [`${method} ${path} HTTP/1.1`, ...lines, "", body ?? ""].join("\r\n");
}

describe.each(surfaces)("$name", (surface) => {
  const { isTls, takes } = surface;

  test(
    "ends who is silent, slow with the handshake, with headers or with a body, or idle after a call",
    async () => {
      const { port } = await start(surface, impatient);
      const dialled = () => dial(port, isTls);
      const idle = await dialled();
      expect(await ask(idle, get)).toMatch(/^HTTP\/1\.1 [2-4]/);
      const slow = [
        idle.ended,
        (await dialled()).ended,
        drip(await dialled(), "POST / HTTP/1.1\r\nhost: a\r\n", "x-a: b\r\n"),
        drip(await dialled(), callOf(surface, undefined, 9_999), " "),
      ];
      if (isTls) slow.push((await dial(port, false)).ended);
      await Promise.all(slow);
    },
    patienceMs,
  );

  test(
    "refuses too many headers, and too long ones",
    async () => {
      const { port } = await start(surface, { maxHeaders: 20, maxHeaderBytes: 4_096 });
      const withHeaders = (count: number, value: string) => {
        const lines = Array.from({ length: count }, (_, index) => `x-${index}: ${value}`);
        return ["GET /healthz HTTP/1.1", "host: a", ...lines, "", ""].join("\r\n");
      };
      const answer = async (text: string) => ask(await dial(port, isTls), text);
      expect(await answer(withHeaders(19, "b"))).not.toMatch(/^HTTP\/1\.1 431/);
      expect(await answer(withHeaders(20, "b"))).toMatch(/^HTTP\/1\.1 431[\s\S]*at most 20/);
      expect(await answer(withHeaders(1, "b".repeat(5_000)))).toMatch(/^HTTP\/1\.1 431/);
    },
    patienceMs,
  );

  test("answers paths that are none", async () => {
    const { port } = await start(surface, {});
    for (const path of ["/%", "//[", "/%00", "*", `/${"a".repeat(8_000)}`])
      expect(await ask(await dial(port, isTls), get.replace("/healthz", path)), path).toMatch(/^HTTP\/1\.1 4/);
  });

  test(
    "tells who comes when as many connections as may be are open to come again, and serves again once there is room",
    async () => {
      const { port } = await start(surface, { maxConnections: 2 });
      const first = await dial(port, isTls);
      await ask(first, get);
      await ask(await dial(port, isTls), get);
      const third = await dial(port, isTls);
      expect(await ask(third, get)).toMatch(/^HTTP\/1\.1 503[\s\S]*retry-after: [1-9][\s\S]*2 connections are open/i);
      await third.ended;
      first.socket.destroy();
      const answered = async () => ask(await dial(port, isTls), get);
      await expect.poll(answered, { timeout: 30_000 }).not.toMatch(/^HTTP\/1\.1 503/);
    },
    patienceMs,
  );

  test(
    "tells an address that calls too often to come again",
    async () => {
      const { port } = await start(surface, { callRate: { perSecond: 0.1, burst: 2 } });
      const answers = [];
      for (let i = 0; i < 3; i++) answers.push(await ask(await dial(port, isTls), get));
      expect(answers[1]).not.toMatch(/^HTTP\/1\.1 429/);
      expect(answers[2]).toMatch(/^HTTP\/1\.1 429[\s\S]*retry-after: [1-9]/i);
    },
    patienceMs,
  );

  test.runIf(takes)(
    "refuses a body that is too large before it has come, and JSON that is too deep, and goes on",
    async () => {
      const { port } = await start(surface, {});
      const { maxBytes = 0, around } = takes ?? {};
      const announced = await ask(await dial(port, isTls), callOf(surface, undefined, maxBytes + 1));
      expect(announced).toMatch(/^HTTP\/1\.1 413/);
      if (around !== undefined) {
        const depth = Math.min(100_000, Math.floor(maxBytes / 2) - 200);
        const body = around[0] + "[".repeat(depth) + "]".repeat(depth) + around[1];
        expect(await ask(await dial(port, isTls), callOf(surface, body))).toMatch(/^HTTP\/1\.1 4(00|22)/);
      }
      expect(await ask(await dial(port, isTls), get)).toMatch(/^HTTP\/1\.1 [2-4]/);
    },
    patienceMs,
  );
});

test(
  "a watch of the embedded API server may answer for longer than a request may take",
  async () => {
    const api = surfaces.find(({ name }) => name === "embedded API server") as Surface;
    const { port } = await start(api, impatient);
    const path = "/api/v1/configmaps?watch=true&timeoutSeconds=3";
    const { authorization } = api.takes?.headers ?? {};
    const text = `GET ${path} HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\n\r\n`;
    expect(await ask(await dial(port, true), text)).toMatch(/^HTTP\/1\.1 200[\s\S]*\r\n0\r\n\r\n$/);
  },
  patienceMs,
);
