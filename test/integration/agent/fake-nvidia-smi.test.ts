import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeFakeNvidiaSmi } from "../../../src/embedded/nodes/fake-nvidia-smi.ts";
import { nodeProfiles } from "../../../src/embedded/nodes/node-profiles.ts";

const root = mkdtempSync(join(tmpdir(), "fake nvidia's smi "));
afterAll(() => rmSync(root, { recursive: true }));

const profileOf = (name: string) => nodeProfiles.find((profile) => profile.name === name)!;

async function runFake(name: string, ...args: string[]) {
  const folder = await writeFakeNvidiaSmi(join(root, name), profileOf(name));
  const { status, stdout, stderr } = spawnSync("nvidia-smi", args, {
    env: { PATH: `${folder}:/usr/bin:/bin` },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("the simulated nodes' nvidia-smi", () => {
  test("plays the document back", async () => {
    const { status, stdout } = await runFake("gpu-mid-l4", "-q", "-x");
    expect({ status, stdout }).toEqual({ status: 0, stdout: profileOf("gpu-mid-l4").nvidiaSmiDocument });
  });

  test("lists the GPUs", async () => {
    const { stdout } = await runFake("gpu-high-a100", "-L");
    expect(stdout.trim().split("\n")).toHaveLength(4);
    expect(stdout).toMatch(/^GPU 0: NVIDIA A100-SXM4-80GB \(UUID: GPU-[0-9a-f-]{36}\)$/m);
  });

  test("says in the plain call that it is simulated", async () => {
    const { status, stdout } = await runFake("gpu-low-p4");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^SIMULATED: no such GPU is in this machine/);
    expect(stdout).toContain("Tesla P4");
  });

  test("refuses what it cannot answer", async () => {
    const { status, stdout, stderr } = await runFake("gpu-mid-rtx", "--query-gpu=name");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("got: --query-gpu=name");
  });

  test("finds no device on a node without GPUs", async () => {
    expect(await runFake("cpu-low", "-q", "-x")).toEqual({ status: 6, stdout: "No devices were found\n", stderr: "" });
  });
});
