import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readValidatorConfig } from "../../../src/validator/config.ts";
import { computeCodeDigest, readCodeDigest } from "../../../src/worker/code-digest.ts";
import { readWorkerConfig } from "../../../src/worker/config.ts";
import { aFolder } from "./worker-fixture.ts";

const needed = {
  INFERIUM_POOL_URL: "https://pool:8443",
  INFERIUM_KEY_FILE: "/keys/key",
  INFERIUM_CACHE_DIR: "/cache",
};
const treasury = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const forValidator = { ...needed, INFERIUM_STATE_DIR: "/state", INFERIUM_POOL_NAME: "p", INFERIUM_TREASURY: treasury };

describe("the configuration of a worker", () => {
  test("has defaults for all but where the pool is, who it is and where it may write", () => {
    expect(readWorkerConfig(needed)).toMatchObject({
      poolUrl: "https://pool:8443",
      slots: 1,
      imageDigest: `0x${"0".repeat(64)}`,
      stateDir: "/cache/worker-state",
      executor: { cacheDir: "/cache", fileRoots: [], probeModels: true, session: { providers: ["cpu"], threads: 1 } },
    });
  });

  test("is read from its variables and frozen", () => {
    const config = readWorkerConfig({
      ...needed,
      INFERIUM_SLOTS: "4",
      INFERIUM_EXECUTION_PROVIDERS: "cuda, cpu",
      INFERIUM_IMAGE_DIGEST: `sha256:${"a".repeat(64)}`,
      INFERIUM_ALLOWED_FILE_ROOTS: "/models,/data",
      INFERIUM_CHAIN_ID: "31337",
      INFERIUM_SETTLEMENT: treasury,
      INFERIUM_CACHE_MIB: "2",
    });
    expect(config).toMatchObject({
      slots: 4,
      imageDigest: `0x${"a".repeat(64)}`,
      expected: { domain: { chainId: 31337, settlement: treasury } },
      executor: { fileRoots: ["/models", "/data"], maxCacheBytes: 2 ** 21, session: { providers: ["cuda", "cpu"] } },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test.for<{ variable: string; value: string | undefined }>([
    { variable: "INFERIUM_POOL_URL", value: undefined },
    { variable: "INFERIUM_POOL_URL", value: "http://pool" },
    { variable: "INFERIUM_KEY_FILE", value: "" },
    { variable: "INFERIUM_CACHE_DIR", value: undefined },
    { variable: "INFERIUM_SLOTS", value: "0" },
    { variable: "INFERIUM_SLOTS", value: "many" },
    { variable: "INFERIUM_THREADS", value: "-1" },
    { variable: "INFERIUM_EXECUTION_PROVIDERS", value: "gpu" },
    { variable: "INFERIUM_IMAGE_DIGEST", value: "latest" },
    { variable: "INFERIUM_METRICS_ADDR", value: "9090" },
    { variable: "INFERIUM_SETTLEMENT", value: "0x12" },
  ])("an error names $variable where it is $value", ({ variable, value }) => {
    expect(() => readWorkerConfig({ ...needed, [variable]: value })).toThrow(
      expect.objectContaining({ code: "InvalidConfiguration", message: expect.stringContaining(variable) }),
    );
  });
});

describe("the configuration of a validator", () => {
  test("needs its state, the pool's name and the treasury", () => {
    expect(readValidatorConfig(forValidator)).toMatchObject({
      treasury,
      pool: "p",
      minimumQuorum: 2,
      allowUnverified: false,
    });
  });

  test.for(["INFERIUM_STATE_DIR", "INFERIUM_POOL_NAME", "INFERIUM_TREASURY"])(
    "an error names %s where it is missing",
    (variable) => {
      expect(() => readValidatorConfig({ ...forValidator, [variable]: undefined })).toThrow(variable);
    },
  );

  test("a treasury with a wrong checksum is a typing error", () => {
    const typo = treasury.replace("90F7", "90f7");
    expect(() => readValidatorConfig({ ...forValidator, INFERIUM_TREASURY: typo })).toThrow(
      /INFERIUM_TREASURY.*checksum/,
    );
  });
});

describe("the digest of the code", () => {
  async function aTree(files: Record<string, string>): Promise<string> {
    const root = await aFolder();
    for (const folder of ["worker", "inference", "protocol/tensors"])
      await mkdir(join(root, folder), { recursive: true });
    for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text);
    return root;
  }

  test("is the same wherever the same files lie, and another for a changed, moved or added one", async () => {
    const files = { "worker/a.ts": "a", "inference/b.ts": "b" };
    const same = await Promise.all([aTree(files), aTree(files)].map(async (root) => computeCodeDigest(await root)));
    expect(same[0]).toBe(same[1]);
    const others = [
      { ...files, "worker/a.ts": "A" },
      { "worker/a.ts": "b", "inference/b.ts": "a" },
      { ...files, "protocol/tensors/c.ts": "" },
    ];
    const digests = await Promise.all(others.map(async (other) => computeCodeDigest(await aTree(other))));
    expect(new Set([same[0], ...digests]).size).toBe(4);
  });

  test("covers the running worker", async () => {
    expect(await readCodeDigest()).toMatch(/^0x[0-9a-f]{64}$/);
  });
});
