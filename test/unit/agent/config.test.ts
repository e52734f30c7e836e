import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readAgentConfig } from "../../../src/agent/config.ts";

const address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const folder = mkdtempSync(join(tmpdir(), "agent-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("readAgentConfig", () => {
  test("needs a node and an address, and has defaults for the rest", async () => {
    expect(
      await readAgentConfig({ NODE_NAME: "n1", INFERIUM_ADDRESS: address, PATH: "/bin", HOME: "/root" }),
    ).toMatchObject({
      nodeName: "n1",
      workerNodeName: "n1",
      address,
      role: "Worker",
      owner: undefined,
      slots: 1,
      nvidiaSmi: { command: "nvidia-smi", timeoutMs: 30_000, environment: { PATH: "/bin" } },
      simulated: false,
      kubeconfigPath: undefined,
      intervalMs: 60_000,
      minimumLevel: "Inspected",
    });
  });

  test("passes nothing on to nvidia-smi but what it needs", async () => {
    const secret = { INFERIUM_TOKEN: "x", AWS_SECRET_ACCESS_KEY: "y" };
    const config = await readAgentConfig({ NODE_NAME: "n1", INFERIUM_ADDRESS: address, PATH: "/bin", ...secret });
    expect(Object.keys(config.nvidiaSmi.environment)).toEqual(["PATH"]);
  });

  test.each([
    ["0x and hex", `0x${"0".repeat(63)}1`],
    ["bare hex and a line end", `${"0".repeat(63)}1\n`],
  ])("takes the address of a key file of %s", async (_, key) => {
    const file = join(folder, "key");
    writeFileSync(file, key);
    expect((await readAgentConfig({ NODE_NAME: "n1", INFERIUM_KEY_FILE: file })).address).toBe(address);
  });

  describe("INFERIUM_MEMBERS_FILE", () => {
    const file = join(folder, "members.json");
    const env = { NODE_NAME: "n1", INFERIUM_MEMBERS_FILE: file };

    test("holds what differs from node to node", async () => {
      const member = { name: "w1", address, role: "Validator", slots: 3 };
      writeFileSync(file, JSON.stringify({ n0: {}, n1: member }));
      expect(await readAgentConfig(env)).toMatchObject({ workerNodeName: "w1", address, role: "Validator", slots: 3 });
    });

    test("may name a key in the folder of keys, or anywhere", async () => {
      writeFileSync(join(folder, "w1"), `0x${"0".repeat(63)}1`);
      const inFolder = { ...env, INFERIUM_MEMBER_KEYS_DIR: folder };
      writeFileSync(file, JSON.stringify({ n1: { keyFile: "w1" } }));
      expect((await readAgentConfig(inFolder)).address).toBe(address);
      await expect(readAgentConfig(env)).rejects.toThrow("cannot be used");
      writeFileSync(file, JSON.stringify({ n1: { keyFile: join(folder, "w1") } }));
      expect((await readAgentConfig(inFolder)).address).toBe(address);
    });

    test.each([
      ["{}", 'has no member on node "n1"; it has: none'],
      ["[", "cannot be used: "],
      ["[]", "expected an object with the name of a node"],
      [JSON.stringify({ n1: { adress: address } }), 'has "adress"; expected name, address'],
      [JSON.stringify({ n1: { address, role: "Boss" } }), 'INFERIUM_ROLE is "Boss"'],
    ])("is refused as %s", async (text, message) => {
      writeFileSync(file, text);
      await expect(readAgentConfig(env)).rejects.toThrow(message);
    });
  });

  test("reads every variable", async () => {
    const config = await readAgentConfig({
      NODE_NAME: "n1",
      INFERIUM_ADDRESS: address,
      INFERIUM_WORKERNODE_NAME: "w1",
      INFERIUM_ROLE: "validator",
      INFERIUM_OWNER: `0x${"a".repeat(40)}`,
      INFERIUM_SLOTS: "4",
      INFERIUM_NVIDIA_SMI: "/opt/bin/nvidia-smi",
      INFERIUM_NVIDIA_SMI_TIMEOUT_SECONDS: "5",
      INFERIUM_SIMULATED: "true",
      KUBECONFIG: "/k",
      INFERIUM_AGENT_INTERVAL_SECONDS: "10",
      INFERIUM_HEALTH_PORT: "0",
      INFERIUM_TIER_THRESHOLDS: "Mid=16000/7.5",
      INFERIUM_MINIMUM_LEVEL: "Declared",
    });
    expect(config).toMatchObject({
      workerNodeName: "w1",
      role: "Validator",
      owner: `0x${"a".repeat(40)}`,
      slots: 4,
      nvidiaSmi: { command: "/opt/bin/nvidia-smi", timeoutMs: 5_000 },
      simulated: true,
      kubeconfigPath: "/k",
      intervalMs: 10_000,
      healthPort: 0,
      thresholds: { Mid: { memoryMiB: 16_000, computeCapability: "7.5" } },
      minimumLevel: "Declared",
    });
  });

  test("says everything that is wrong at once", async () => {
    const wrong = { INFERIUM_ROLE: "boss", INFERIUM_SLOTS: "0", INFERIUM_TIER_THRESHOLDS: "x", INFERIUM_OWNER: "0x1" };
    const failure = readAgentConfig(wrong);
    await expect(failure).rejects.toMatchObject({ code: "InvalidConfig", disposition: "fatal" });
    for (const part of [
      "NODE_NAME",
      "INFERIUM_ADDRESS or",
      "expected one of Worker",
      "from 1 to 256",
      "tier=MiB",
      "INFERIUM_OWNER",
    ]) {
      await expect(failure).rejects.toThrow(part);
    }
  });

  test("refuses a key file that holds no key, without showing what it holds", async () => {
    const file = join(folder, "bad-key");
    writeFileSync(file, "hunter2");
    const failure = readAgentConfig({ NODE_NAME: "n1", INFERIUM_KEY_FILE: file });
    await expect(failure).rejects.toThrow("no private key of 64 hex digits");
    await expect(failure).rejects.not.toThrow("hunter2");
  });
});
