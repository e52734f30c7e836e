/** NVIDIA's `tritonclient`, unmodified, against a gateway with the model and one before a model server; skipped where it is not there. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTool } from "../clients/client-tools.ts";
import { aKey, anAgent, type GatewayRig, openGateway, untilReady } from "./support/gateway-rig.ts";

const tool = findTool("tritonclient-2.73.0");
const script = fileURLToPath(new URL("triton-client.py", import.meta.url));
const run = promisify(execFile);

describe.skipIf(tool === undefined)("tritonclient", () => {
  let hosting: GatewayRig;
  let before: GatewayRig;

  beforeAll(async () => {
    hosting = await openGateway([{ ...anAgent, callers: "anyone" }]);
    before = await openGateway([{ ...anAgent, backends: [hosting.url] }]);
    await untilReady(hosting.url);
    await untilReady(before.url);
  });

  afterAll(async () => {
    await before.close();
    await hosting.close();
  });

  it.each([
    ["a gateway that hosts the model", () => hosting, ""],
    ["a gateway before a model server", () => before, aKey],
  ])("calls %s with binary tensors and JSON", async (_, rig, key) => {
    const address = rig().url.replace("http://", "");
    const { stdout } = await run(join(tool ?? "", "bin/python"), [script, address, key], { timeout: 50_000 });
    const seen = JSON.parse(stdout) as { labels: unknown[]; errors: [string, string][] };
    expect(seen).toMatchObject({
      live: true,
      ready: true,
      extensions: ["binary_tensor_data"],
      inputs: [{ name: "pixels", datatype: "UINT8", shape: [-1, 784] }],
    });
    expect(seen.labels).toEqual(
      new Array(5).fill([
        [8, 8],
        [3874, 3874],
      ]),
    );
    expect(seen.errors.map(([status]) => status)).toEqual(["404", "400"]);
    expect(seen.errors[1]?.[1]).toContain("the model needs uint8[any,784]");
  });
});
