import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { Leaderboard } from "../../../src/api/v1alpha1/types.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { addClientCommands } from "../../../src/cli/commands.ts";
import { leaderboards, tasks, validations } from "../../../src/cli/context.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { createClient } from "../../../src/kube/client.ts";
import { loadKubeConnection } from "../../../src/kube/connection.ts";
import type { CustomResourceDefinition } from "../../../src/kube/control-types.ts";
import { customResourceDefinitions } from "../../../src/kube/core-resources.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { buildShard, listShards } from "../../../src/protocol/shards/shard-task.ts";
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
  for (const name of ["inferencetasks", "workernodes", "leaderboards", "validations"]) {
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

describe("a batch", () => {
  const text = readFileSync(new URL("../../../manifests/samples/task-batch.yaml", import.meta.url), "utf8");
  const sample = parse(text) as TaskObject;
  const create = (change: object = {}, name = "batch") => {
    const made = { ...sample, metadata: { name, namespace: "default" }, spec: { ...sample.spec, ...change } };
    return createClient(transport, tasks).create(made as TaskObject);
  };
  const input = (change: object) => ({ input: { ...sample.spec.input, ...change } });
  const steps = { count: 2, tensors: ["x"] };
  const training = { program: "digits-mlp", steps: 2, checkpointEvery: 1, seed: 1, checkpointStore: "https://s.test" };

  test("explain lists its shards, and nobody else's", async () => {
    const batch = await create();
    expect(batch.spec.input.items?.from).toBe(0);
    const [shard] = listShards(batch.spec);
    const made = buildShard(batch, { shard: { ...shard!, isDuplicate: true } });
    const task = await createClient(transport, tasks).create(made as TaskObject);
    const metadata = { name: "other", namespace: "default", labels: task.metadata.labels! };
    await createClient(transport, tasks).create({ ...sample, metadata });
    expect(await inferium("explain", "batch", "-n", "default")).toBe(0);
    const text = out.join("\n");
    expect(text).toMatch(/0 \(second copy\) +batch-[0-9a-f]{8}-0-d +Pending +- +0 +It waits for its turn/);
    expect(text).not.toContain("other");
  });

  test("submit makes one of flags", async () => {
    const inline = JSON.stringify({ x: { dtype: "int32", shape: [4], data: [1, 2, 3, 4] } });
    const digest = sample.spec.model.digest;
    const flags = ["--model", sample.spec.model.uri, "--model-digest", digest, "--input", inline, "--name", "flags"];
    expect(await inferium("submit", ...flags, "--items", "4", "--parallelism", "2")).toBe(0);
    const { spec } = await createClient(transport, tasks).get({ namespace: "default", name: "flags" });
    expect(spec).toMatchObject({ parallelism: 2, input: { items: { from: 0, count: 4 } } });
  });

  test.each<[string, object, RegExp]>([
    ["more shards than items", { parallelism: 65 }, /parallelism cannot be larger than input.items.count/],
    ["more shards than there may be", { parallelism: 257 }, /less than or equal to 256/],
    ["no shard", { parallelism: 0 }, /greater than or equal to 1/],
    ["no items", input({ items: undefined }), /parallelism above 1 cuts a batch into shards; give input.items/],
    ["no item", input({ items: { count: 0 } }), /greater than or equal to 1/],
    ["steps beside items", input({ steps }), /give items, or one of steps and calls/],
    ["calls beside items", input({ calls: 2 }), /give items, or one of steps and calls/],
    [
      "mode Pod",
      { mode: "Pod", verification: { policy: "None" } },
      /mode Pod, which a training needs, takes no input.items/,
    ],
    ["a training", { mode: "Pod", type: "Training", training }, /takes no input.items/],
    [
      "a proof",
      { verification: { policy: "ZeroKnowledge" } },
      /a proof covers one run of a model on its whole input; policy ZeroKnowledge takes no input.items/,
    ],
  ])("is refused with %s", async (_, change, message) => {
    await expect(create(change, "refused")).rejects.toThrow(message);
  });

  test("is refused with a name that no label holds, and later with another parallelism", async () => {
    await expect(create({}, "n".repeat(64))).rejects.toThrow(/at most 63 characters/);
    await create({}, "fixed");
    const patch = { kind: "merge", body: { spec: { parallelism: 5 } } } as const;
    const changed = createClient(transport, tasks).patch({ namespace: "default", name: "fixed" }, patch);
    await expect(changed).rejects.toThrow(/parallelism is immutable/);
  });
});

describe("leaderboard", () => {
  const sample = readFileSync(new URL("../../../manifests/samples/leaderboard.yaml", import.meta.url), "utf8");
  const [, document] = parseAllDocuments(sample).map((one) => one.toJS() as Leaderboard);
  const create = (change: object, name = "digits") => {
    const made = { ...document!, metadata: { name, namespace: "default" }, spec: { ...document!.spec, ...change } };
    return createClient(transport, leaderboards).create(made as Leaderboard);
  };

  test("shows those of a namespace, one of them, and says that one is not there", async () => {
    await create({});
    expect(await inferium("leaderboard", "-n", "default")).toBe(0);
    expect(out[1]).toMatch(/^digits +Classification +Pending/);
    out = [];
    expect(await inferium("leaderboard", "digits", "-n", "default")).toBe(0);
    expect(out[0]).toBe("default/digits: Classification of 1 rows in 1 shards, Pending");
    out = [];
    expect(await inferium("leaderboard", "digits", "-n", "default", "-o", "json")).toBe(0);
    expect(JSON.parse(out[0] ?? "")).toMatchObject({ name: "digits", task: "Classification", phase: "Pending" });
    await expect(inferium("leaderboard", "none", "-n", "default")).rejects.toThrow(
      "no leaderboard none in namespace default",
    );
  });

  const [shard] = document!.spec.dataset.shards;
  const [model] = document!.spec.models;
  test.each([
    [
      "metrics of another task",
      { metrics: ["MSE"] },
      /Classification has the metrics Accuracy, Precision, Recall and F1/,
    ],
    ["a classification without classes", { dataset: { shards: [shard] } }, /task Classification needs dataset.classes/],
    ["too many classes", { dataset: { classes: 91, shards: [shard] } }, /less than or equal to 90/],
    [
      "a unit of a classification",
      { dataset: { classes: 2, unit: 1, shards: [shard] } },
      /dataset.unit is for task Regression/,
    ],
    ["no shard", { dataset: { classes: 2, shards: [] } }, /should have at least 1 items/],
    ["two models of one name", { models: [model, model] }, /Duplicate value/],
    ["a model's name that is none", { models: [{ ...model, name: "A_b" }] }, /should match/],
    ["a digest that is none", { models: [{ ...model, digest: "sha256:12" }] }, /should match/],
    [
      "two inputs of a shard",
      {
        dataset: {
          classes: 2,
          shards: [{ ...shard, input: { ...shard?.input, configMapRef: { name: "a", key: "b" } } }],
        },
      },
      /give exactly one of uri/,
    ],
    ["a reward that nobody pays", { reward: "1" }, /a reward needs requester/],
    ["a policy that checks nothing", { verification: { policy: "None" } }, /Unsupported value: "None"/],
    ["a minority that decides", { verification: { validators: 4, quorum: 2 } }, /quorum must be a majority/],
    ["a schedule of four fields", { schedule: "0 3 * *" }, /should match/],
    ["a schedule with seconds", { schedule: "@every 5s" }, /should match/],
  ])("is refused with %s", async (_, change, message) => {
    await expect(create(change, "refused")).rejects.toThrow(message);
  });

  test("is refused with a name that no label holds", async () => {
    await expect(create({}, "n".repeat(64))).rejects.toThrow(/at most 63 characters/);
  });
});

test("a kubeconfig that is not there is said to be so", async () => {
  await expect(inferium("top", "--kubeconfig", "/nowhere")).rejects.toThrow("Cannot use kubeconfig /nowhere");
});
