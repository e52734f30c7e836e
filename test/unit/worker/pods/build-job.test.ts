import { describe, expect, it } from "vitest";
import type { PodReference } from "../../../../src/pool/work-assignment.ts";
import { buildJob, type JobPlan } from "../../../../src/worker/pods/build-job.ts";
import { checkImage } from "../../../../src/worker/pods/check-image.ts";
import { buildPodTask, parsePodTask } from "../../../../src/worker/pods/pod-task.ts";

const task = {
  ...{ namespace: "tenant", task: "t", taskId: `0x${"ab".repeat(32)}`, attempt: 2, known: [] },
  model: { uri: "https://m.test/w", digest: "sha256:m" },
  input: { uri: "https://m.test/d", digest: "sha256:d" },
  training: {
    ...{ program: "p", hyperparameters: {}, steps: 4, checkpointEvery: 1, seed: 1, sampledSlices: 1 },
    checkpointStore: "https://s.test",
  },
};
const pod: PodReference = { size: 1, startTimeoutSeconds: 60, tiers: ["Mid", "High"] };
const plan = (change: Partial<PodReference> = {}, more: Partial<JobPlan> = {}): JobPlan => ({
  ...{ name: "j", namespace: "tasks", launcher: "0xAb", task, defaults: { image: "own" }, avoid: [] },
  activeDeadlineSeconds: 100,
  pod: { ...pod, ...change },
  ...more,
});
const containerOf = (one: JobPlan) => buildJob(one).spec.template.spec.containers[0]!;

describe("the job of a try", () => {
  it("runs the launcher's own image as a trainer, once for each rank, and never replaces a pod", () => {
    const { spec, metadata } = buildJob(plan({ size: 4 }));
    expect(spec).toMatchObject({ completionMode: "Indexed", completions: 4, parallelism: 4, backoffLimit: 0 });
    expect(spec).toMatchObject({ suspend: false, activeDeadlineSeconds: 100 });
    expect(metadata.labels).toMatchObject({ "inferium.io/launcher": "0xab" });
    expect(containerOf(plan())).toMatchObject({ image: "own", args: ["train"] });
    const names = containerOf(plan({ size: 4 })).env?.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["INFERIUM_TASK", "INFERIUM_RANK", "INFERIUM_WORLD_SIZE"]));
  });

  it("holds no credential and fits the restricted Pod Security Standard", () => {
    const { template } = buildJob(plan()).spec;
    expect(template.spec).toMatchObject({ automountServiceAccountToken: false, restartPolicy: "Never" });
    expect(template.spec.serviceAccountName).toBeUndefined();
    expect(template.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(containerOf(plan()).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    });
    expect(template.spec.volumes).toEqual([{ name: "scratch", emptyDir: {} }]);
  });

  it("goes to nodes of the tiers, and rather not to those that it was lost on", () => {
    const { nodeAffinity } = buildJob(plan({}, { avoid: ["a"] })).spec.template.spec.affinity!;
    expect(nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: "inferium.io/tier", operator: "In", values: ["Mid", "High"] }] },
    ]);
    expect(nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.[0]?.preference.matchExpressions).toEqual([
      { key: "kubernetes.io/hostname", operator: "NotIn", values: ["a"] },
    ]);
  });

  it.each<[string, Partial<PodReference>, object]>([
    ["whole GPUs", { gpus: 2 }, { limits: { "nvidia.com/gpu": "2" } }],
    ["MIG instances", { gpus: 2, migProfile: "1g.10gb" }, { limits: { "nvidia.com/mig-1g.10gb": "2" } }],
    ["a MIG profile with media", { migProfile: "1g.10gb+me" }, { limits: { "nvidia.com/mig-1g.10gb.me": "1" } }],
    [
      "memory beside them",
      { gpus: 1, requests: { memory: "1Gi" } },
      { limits: { memory: "1Gi", "nvidia.com/gpu": "1" } },
    ],
    [
      "a claim in their place",
      { gpus: 1, resourceClaimTemplateName: "c" },
      { limits: {}, claims: [{ name: "device" }] },
    ],
  ])("asks for %s", (_, change, resources) => {
    expect(containerOf(plan(change)).resources).toMatchObject(resources);
  });

  it("waits for Kueue where a queue is named", () => {
    const { spec, metadata } = buildJob(plan({ queueName: "gpus" }));
    expect(spec.suspend).toBe(true);
    expect(metadata.labels).toMatchObject({ "kueue.x-k8s.io/queue-name": "gpus" });
  });

  it("takes what the task says of placement before what the launcher says", () => {
    const defaults = {
      image: "own",
      priorityClassName: "low",
      tolerations: [{ key: "a", operator: "Exists" as const }],
    };
    const change = {
      ...{ priorityClassName: "high", runtimeClassName: "nvidia", spreadTopologyKey: "zone" },
      tolerations: [{ key: "b", operator: "Exists" as const }],
      nodeSelector: { disk: "fast" },
    };
    expect(buildJob(plan(change, { defaults })).spec.template.spec).toMatchObject({
      priorityClassName: "high",
      runtimeClassName: "nvidia",
      tolerations: [{ key: "a" }, { key: "b" }],
      nodeSelector: { disk: "fast" },
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone" }],
    });
  });

  it("runs another image with its own arguments alone", () => {
    expect(containerOf(plan({ image: "other" })).args).toBeUndefined();
    expect(containerOf(plan({ image: "other", command: ["a"], args: ["b"] }))).toMatchObject({
      command: ["a"],
      args: ["b"],
    });
  });
});

describe("an image", () => {
  it.each<[string, string | undefined, string[], boolean]>([
    ["none is named", undefined, [], true],
    ["any is allowed", "evil.test/x", ["*"], true],
    ["it is below an allowed prefix", "ghcr.io/acme/x:1", ["ghcr.io/acme/"], true],
    ["it is one of an allowed name", "ghcr.io/acme/x:1", ["ghcr.io/acme/x:"], true],
    ["it only begins like an allowed prefix", "ghcr.io/acme-evil/x", ["ghcr.io/acme"], false],
    ["none but the launcher's own is allowed", "ghcr.io/acme/x", [], false],
  ])("is judged where %s", (_, image, allowed, ok) => {
    const check = () => checkImage(image, allowed);
    if (ok) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: "PodInvalid" }));
  });
});

describe("what a pod is told", () => {
  it("is the same after its way through the variable", () => {
    expect(parsePodTask(JSON.stringify(task))).toEqual(task);
  });

  it.each(["", "{}", "[]", '{"model":{"uri":"a"},"input":{"uri":"b"},"known":["x"]}'])("is refused as %j", (text) => {
    expect(() => parsePodTask(text)).toThrow(expect.objectContaining({ code: "InvalidConfiguration" }));
  });

  it("needs an input that a pod can fetch", () => {
    const assignment = { ...task, verification: { policy: "Exact" as const }, deadlineMs: 1, input: { inline: {} } };
    expect(() => buildPodTask(assignment, [])).toThrow(expect.objectContaining({ code: "InvalidInput" }));
  });
});
