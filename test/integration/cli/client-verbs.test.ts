import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { addClientCommands } from "../../../src/cli/commands.ts";
import { tasks, validations } from "../../../src/cli/context.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { createClient } from "../../../src/kube/client.ts";
import { loadKubeConnection } from "../../../src/kube/connection.ts";
import type { CustomResourceDefinition } from "../../../src/kube/control-types.ts";
import { customResourceDefinitions } from "../../../src/kube/core-resources.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import { until } from "../agent/agent-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "client-verbs-"));
const kubeconfig = join(folder, "kubeconfig");
let server: ApiServer;
let transport: Transport;
let out: string[];
let notes: string[];

beforeAll(async () => {
  server = await startApiServer({ logger: silentLogger });
  writeFileSync(kubeconfig, server.kubeconfig());
  transport = createTransport(await loadKubeConnection({ kubeconfigPath: kubeconfig }), { fieldManager: "test" });
  for (const name of ["inferencetasks", "workernodes", "validations"]) {
    const yaml = readFileSync(new URL(`../../../crds/${name}.yaml`, import.meta.url), "utf8");
    await createClient(transport, customResourceDefinitions).create(parse(yaml) as CustomResourceDefinition);
  }
  const list = () => createClient(transport, validations).list();
  await until(() =>
    list().then(
      () => true,
      () => false,
    ),
  );
});
afterAll(async () => {
  await transport?.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  out = [];
  notes = [];
});

/** Runs a command line as the program does. @returns its exit status */
async function inferium(...args: string[]): Promise<number> {
  let status = -1;
  const program = new Command("inferium").exitOverride().configureOutput({ writeErr: () => undefined });
  addClientCommands(program, {
    env: { KUBECONFIG: kubeconfig },
    io: { out: (line) => out.push(line), note: (line) => notes.push(line) },
    clock: systemClock,
    signal: new AbortController().signal,
    setExitStatus: (exit) => {
      status = exit;
    },
  });
  await program.parseAsync(args, { from: "user" });
  return status;
}

const digest = `sha256:${"c".repeat(64)}`;
const submit = (name: string, ...more: string[]) =>
  inferium(
    ...["submit", "--name", name, "--model", "https://m.example/m.onnx", "--model-digest", digest],
    ...["--input", '{"x":{"dtype":"float32","shape":[1],"data":[1]}}', ...more],
  );

/** Plays the operator: writes a status once the task is followed. */
async function finish(name: string, phase: string, message: string): Promise<void> {
  const client = createClient(transport, tasks);
  const ref = { namespace: "default", name };
  await until(() => notes.includes("Pending"));
  // A change that is no progress.
  await client.patch(ref, { kind: "merge", body: { metadata: { labels: { seen: "yes" } } } });
  const type = phase === "Succeeded" ? "Ready" : "Stalled";
  const condition = { type, status: "True", reason: "R", message, lastTransitionTime: "2026-01-01T00:00:00Z" };
  const status = { phase, conditions: [condition] };
  await client.patch(ref, { kind: "merge", subresource: "status", body: { status } });
}

describe("submit", () => {
  test("creates a task, and the API fills in its defaults", async () => {
    expect(await submit("plain", "--tier", "low", "--output", "json")).toBe(0);
    expect(JSON.parse(out[0] ?? "")).toMatchObject({
      metadata: { name: "plain", namespace: "default" },
      spec: {
        type: "Inference",
        tier: "Low",
        model: { digest },
        verification: { policy: "Exact", quorum: 2 },
        retries: 3,
      },
    });
    expect(notes).toEqual(["inferencetask plain created in namespace default"]);
  });

  test("follows a task to its success", async () => {
    const finished = finish("followed", "Succeeded", "Batch 1 in transaction 0x1.");
    expect(await submit("followed", "--wait")).toBe(0);
    await finished;
    expect(out).toEqual(["default/followed: Succeeded"]);
    expect(notes.slice(1)).toEqual(["Pending", "Succeeded: Batch 1 in transaction 0x1."]);
  });

  test("ends with 1 where the task fails", async () => {
    const finished = finish("failing", "Failed", "No attempt is left.");
    expect(await submit("failing", "--wait")).toBe(1);
    await finished;
    expect(out).toEqual(["default/failing: Failed"]);
  });

  test("gives up after a while, and says how to go on", async () => {
    await expect(submit("endless", "--wait", "--wait-timeout", "1")).rejects.toThrow("see inferium explain endless");
  });

  test("passes the API's refusal on", async () => {
    await expect(submit("refused", "--validators", "2", "--quorum", "1")).rejects.toThrow("quorum must be a majority");
  });

  const sample = (name: string) => new URL(`../../../manifests/samples/${name}.yaml`, import.meta.url).pathname;
  test.each([
    ["what is no task", ["-f", sample("worker-node-remote")], "expected inferium.io/v1alpha1 InferenceTask"],
    ["flags beside a manifest", ["-f", sample("task-paid"), "--tier", "Low"], "so tier cannot be given as well"],
    ["a namespace that is not the manifest's", ["-f", sample("task-paid"), "-n", "b"], "is in namespace default, and"],
    ["neither manifest nor model", [], "Give -f with a manifest, or both --model and --input."],
    ["a file that is not there", ["-f", "/none.yaml"], "Cannot read /none.yaml"],
    ["a folder", ["-f", "/tmp"], "Cannot read /tmp"],
  ])("refuses %s", async (_, args, message) => {
    await expect(inferium("submit", ...args)).rejects.toThrow(message);
    expect(notes).toEqual([]);
  });

  test("refuses a number that is none", async () => {
    await expect(submit("odd", "--retries", "many")).rejects.toMatchObject({ code: "commander.invalidArgument" });
  });
});

test("explain says why a task waits", async () => {
  await submit("waiting");
  out = [];
  expect(await inferium("explain", "waiting")).toBe(0);
  expect(out.slice(0, 2)).toEqual([
    "default/waiting is Pending.",
    "No operator has taken it up yet: it waits to be picked up, or no operator runs.",
  ]);
});

test("explain says that there is no such task", async () => {
  await expect(inferium("explain", "absent")).rejects.toThrow("There is no task absent in namespace default");
});

test("top counts the tasks of one namespace or of all", async () => {
  await submit("counted");
  out = [];
  expect(await inferium("top", "--output", "json")).toBe(0);
  expect(await inferium("top", "--output", "json", "--namespace", "elsewhere")).toBe(0);
  const [all, elsewhere] = out.map((line) => JSON.parse(line) as { tasks: { total: number } });
  expect(all?.tasks.total).toBeGreaterThan(0);
  expect(elsewhere?.tasks.total).toBe(0);
});

test("a kubeconfig that is not there is said to be so", async () => {
  await expect(inferium("top", "--kubeconfig", "/nowhere")).rejects.toThrow("Cannot use kubeconfig /nowhere");
});
