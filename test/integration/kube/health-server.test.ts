import { Gauge, Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { type HealthServer, type HealthServerOptions, startHealthServer } from "../../../src/kube/health-server.ts";

let server: HealthServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(options: Partial<HealthServerOptions>) {
  server = await startHealthServer({ host: "127.0.0.1", port: 0, ...options });
  const { port } = server;
  return async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return { status: response.status, text: await response.text() };
  };
}

describe("the health server", () => {
  test("answers 503 and names the check that fails, and 200 when none does", async () => {
    let isSynced = false;
    const get = await serve({
      live: { loop: () => true },
      ready: { informers: () => isSynced || "no list of pods", broken: () => isSynced || Boolean(JSON.parse("{")) },
    });
    expect(await get("/healthz")).toEqual({ status: 200, text: "[+] loop ok\nok\n" });
    const unready = await get("/readyz");
    expect(unready.status).toBe(503);
    expect(unready.text).toContain("[-] informers: no list of pods\n[-] broken: Expected");
    isSynced = true;
    expect((await get("/readyz")).status).toBe(200);
  });

  test("serves the metrics of the registry it is given", async () => {
    const registry = new Registry();
    new Gauge({ name: "answer", help: "x", registers: [registry] }).set(42);
    const get = await serve({ registry });
    expect((await get("/metrics")).text).toContain("answer 42");
  });

  test("knows no other path or method", async () => {
    const get = await serve({});
    expect([(await get("/metrics")).status, (await get("/")).status, (await get("/healthz", "POST")).status]).toEqual([
      404, 404, 405,
    ]);
  });

  test("says which port is taken", async () => {
    await serve({});
    const taken = { host: "127.0.0.1", port: server?.port ?? 0 };
    await expect(startHealthServer(taken)).rejects.toMatchObject({
      code: "HealthServerFailed",
      message: expect.stringContaining(`:${taken.port}`),
    });
  });
});
