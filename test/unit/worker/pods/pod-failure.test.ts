import { describe, expect, it } from "vitest";
import type { Job } from "../../../../src/kube/job-types.ts";
import type { Pod, PodStatus } from "../../../../src/kube/pod-types.ts";
import { classifyAttempt } from "../../../../src/protocol/failure-class.ts";
import {
  classifyJobFailure,
  explainNotStarted,
  isHopeless,
  movable,
  type PodFailureReason,
} from "../../../../src/worker/pods/pod-failure.ts";

const aPod = (status: PodStatus, change: Partial<Pod["metadata"]> = {}, nodeName?: string): Pod => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "p", uid: "u", ...change }, status },
  spec: { containers: [], ...(nodeName ? { nodeName } : {}) },
});
const aJob = (reason = "BackoffLimitExceeded"): Job => ({
  ...{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "j" } },
  spec: { template: { spec: { containers: [] } } },
  status: { conditions: [{ type: "Failed", status: "True", reason }] },
});
const disrupted = (reason: string): PodStatus => ({
  phase: "Failed",
  conditions: [{ type: "DisruptionTarget", status: "True", reason, message: "why" }],
});
const ended = (exitCode: number, reason?: string): PodStatus => ({
  phase: "Failed",
  containerStatuses: [
    { name: "task", ready: false, restartCount: 0, state: { terminated: { exitCode, ...(reason ? { reason } : {}) } } },
  ],
});
const waiting = (reason: string): PodStatus => ({
  phase: "Pending",
  containerStatuses: [{ name: "task", ready: false, restartCount: 0, state: { waiting: { reason, message: "m" } } }],
});

describe("why a job failed", () => {
  it.each<[string, Pod[], PodFailureReason, "Infrastructure" | "Application"]>([
    ["preempted", [aPod(disrupted("PreemptionByScheduler"))], "PodPreempted", "Infrastructure"],
    ["evicted by the API", [aPod(disrupted("EvictionByEvictionAPI"))], "PodEvicted", "Infrastructure"],
    ["evicted by its kubelet", [aPod({ phase: "Failed", reason: "Evicted" })], "PodEvicted", "Infrastructure"],
    ["on a node that was lost", [aPod(disrupted("DeletionByTaintManager"))], "NodeLost", "Infrastructure"],
    ["on a node that shut down", [aPod({ phase: "Failed", reason: "NodeShutdown" })], "NodeLost", "Infrastructure"],
    ["deleted", [aPod(ended(143), { deletionTimestamp: "now" })], "PodGone", "Infrastructure"],
    ["gone without a trace", [aPod({ phase: "Running" })], "PodGone", "Infrastructure"],
    ["never seen", [], "PodGone", "Infrastructure"],
    [
      "refused by its node",
      [aPod({ phase: "Failed", reason: "UnexpectedAdmissionError" })],
      "PodRejected",
      "Infrastructure",
    ],
    ["out of memory", [aPod(ended(137, "OOMKilled"))], "OutOfMemory", "Application"],
    ["ended by itself", [aPod(ended(1, "Error"))], "PodFailed", "Application"],
    [
      "one preempted, the other ended for it",
      [aPod(ended(1)), aPod(disrupted("PreemptionByScheduler"))],
      "PodPreempted",
      "Infrastructure",
    ],
  ])("is told of pods that were %s", (_, pods, reason, fault) => {
    expect(classifyJobFailure(aJob(), pods).reason).toBe(reason);
    expect(classifyAttempt({ outcome: "Failed", reason })).toBe(fault);
  });

  it("is the deadline, whatever the pods were doing", () => {
    expect(classifyJobFailure(aJob("DeadlineExceeded"), [aPod(ended(143))]).reason).toBe("Timeout");
  });

  it("moves the attempt only where the place was at fault", () => {
    expect([...movable].sort()).toEqual(["NodeLost", "PodEvicted", "PodGone", "PodPreempted"]);
  });
});

describe("why a pod has not started", () => {
  it.each<[string, Pod, PodFailureReason | undefined]>([
    ["no image", aPod(waiting("ImagePullBackOff"), {}, "n"), "ImageUnavailable"],
    ["an image that a node must not pull", aPod(waiting("ErrImageNeverPull"), {}, "n"), "ImageUnavailable"],
    [
      "no node",
      aPod({ phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes" }] }),
      "Unschedulable",
    ],
    ["a container that is made", aPod(waiting("ContainerCreating"), {}, "n"), "Unschedulable"],
    ["nothing", aPod({ phase: "Running" }, {}, "n"), undefined],
  ])("is told: %s", (_, pod, reason) => {
    expect(explainNotStarted(pod)?.reason).toBe(reason);
  });

  it("is hopeless for a name that is none, and where nothing is pulled", () => {
    expect(isHopeless(aPod(waiting("InvalidImageName")))).toBe(true);
    expect(isHopeless(aPod(waiting("ErrImageNeverPull")))).toBe(true);
    expect(isHopeless(aPod(waiting("ErrImagePull")))).toBe(false);
  });
});
