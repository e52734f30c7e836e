/** Half a minute at most of what `npm run test:kube -- --minutes 10` does for ten: the same seed, so the same luck. */
import { expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { runChaos } from "../../chaos/run-chaos.ts";

test("nothing is missed, made up or left open behind proxies that fail in every way", async () => {
  const server = await startApiServer({ logger: silentLogger });
  try {
    const connection = createStaticConnection({ server: server.url, token: server.adminToken, ca: server.caPem });
    const { problems, missed, writes, faults } = await runChaos({ connection, seed: 3, durationMs: 15_000 });
    expect(problems).toEqual([]);
    expect(missed).toBe(0);
    expect(writes).toBeGreaterThan(0);
    expect(Object.keys(faults).length).toBeGreaterThan(5);
  } finally {
    await server.close();
  }
}, 240_000);
