import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  computeRetryDelay,
  computeWantedActive,
  decideOutcome,
} from "../../../../src/embedded/controllers/job/decide-job.ts";
import { judgeFailure } from "../../../../src/embedded/controllers/job/failure-policy.ts";
import { formatIndexes, parseIndexes } from "../../../../src/embedded/controllers/job/index-list.ts";
import { accountStatus, closeAccount, openAccount } from "../../../../src/embedded/controllers/job/job-account.ts";
import { computeExpiry } from "../../../../src/embedded/controllers/job/ttl-controller.ts";
import type { Job, JobStatus } from "../../../../src/embedded/controllers/workload-types.ts";
import type { Pod } from "../../../../src/embedded/kubelet/core-types.ts";
import { aJob, aPodIn, aRunningPod, at, now } from "./workload-builders.ts";

const tracked = { finalizers: ["batch.kubernetes.io/job-tracking"] };
const ended = (name: string, phase: "Succeeded" | "Failed", metadata: object = tracked, secondsAgo = 10): Pod => ({
  ...aPodIn({ phase, containerStatuses: [status(phase === "Failed" ? 3 : 0, secondsAgo)] }, name, metadata),
});
const status = (exitCode: number, secondsAgo: number) => ({
  ...{ name: "main", image: "sh", imageID: "sh", ready: false, restartCount: 0 },
  state: { terminated: { exitCode, reason: "Error", finishedAt: at(-secondsAgo) } },
});
const never = () => false;
const view = (job: Job, pods: readonly Pod[]) => ({ job, pods, account: openAccount(job, pods, never), nowMs: now });

describe("index lists", () => {
  it("write and read the same", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 })), (indexes) => {
        expect([...parseIndexes(formatIndexes(indexes), 100)].sort()).toEqual([...indexes].sort());
      }),
    );
    expect(formatIndexes([7, 0, 3, 4, 5])).toBe("0,3-5,7");
  });
});

describe("the account of a job", () => {
  it("counts every end exactly once, wherever it is interrupted and whatever the cache shows", () => {
    const anEnd = fc.record({
      phase: fc.constantFrom("Succeeded" as const, "Failed" as const),
      cut: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(anEnd, { maxLength: 8 }), (ends) => {
        let job = aJob({ completions: 100, backoffLimit: 100 });
        let pods: Pod[] = [];
        const released = new Set<string>();
        const write = (account: Partial<JobStatus>) => {
          job = { ...job, status: { ...job.status, ...account } };
        };
        const reconcile = (cut: number) => {
          const account = openAccount(job, pods, (uid) => released.has(uid));
          if (cut === 0) return;
          write(accountStatus(job, account));
          if (cut === 1) return;
          for (const pod of account.ended) released.add(pod.metadata.uid ?? "");
          // Some caches follow at once, some do not.
          if (cut === 2)
            pods = pods.map((pod) =>
              released.has(pod.metadata.uid ?? "") ? { ...pod, metadata: { ...pod.metadata, finalizers: [] } } : pod,
            );
          else write(accountStatus(job, closeAccount(job, account)));
        };
        for (const [index, { phase, cut }] of ends.entries()) {
          pods = [...pods, ended(`p${index}`, phase)];
          reconcile(cut);
        }
        for (const cut of [3, 3]) reconcile(cut);
        const count = (phase: string) => ends.filter((one) => one.phase === phase).length;
        expect([job.status?.succeeded, job.status?.failed]).toEqual([count("Succeeded"), count("Failed")]);
        expect(job.status?.uncountedTerminatedPods).toEqual({});
      }),
    );
  });

  it("counts an index once, however often it succeeds, and none beyond the number of completions", () => {
    const indexed = (name: string, index: number) =>
      ended(name, "Succeeded", {
        ...tracked,
        annotations: { "batch.kubernetes.io/job-completion-index": String(index) },
      });
    const job = aJob({ completions: 3, completionMode: "Indexed" });
    const account = openAccount(job, [indexed("a", 1), indexed("b", 1), indexed("c", 7)], never);
    expect(accountStatus(job, account)).toMatchObject({ succeeded: 1, completedIndexes: "1" });
  });

  it("takes a pod on its way out for failed, unless the job waits for its end", () => {
    const ending = aRunningPod("p", { ...tracked, deletionTimestamp: at(0) });
    expect(openAccount(aJob(), [ending], never).noted.failed).toEqual(["uid-p"]);
    expect(openAccount(aJob({ podReplacementPolicy: "Failed" }), [ending], never).noted.failed).toEqual([]);
  });
});

describe("decideOutcome", () => {
  const three = ["a", "b", "c"].map((name) => ended(name, "Failed"));
  const startTime = at(-100);

  it.each([
    { name: "goes on below its limit", job: aJob({ backoffLimit: 3, completions: 1 }), pods: three, want: undefined },
    {
      name: "fails beyond it",
      job: aJob({ backoffLimit: 2, completions: 1 }),
      pods: three,
      want: "BackoffLimitExceeded",
    },
    {
      name: "fails at its deadline",
      job: aJob({ activeDeadlineSeconds: 100, completions: 1 }, { startTime }),
      pods: [],
      want: "DeadlineExceeded",
    },
    {
      name: "has time before it",
      job: aJob({ activeDeadlineSeconds: 101, completions: 1 }, { startTime }),
      pods: [],
      want: undefined,
    },
    {
      name: "is complete with its completions",
      job: aJob({ completions: 1 }),
      pods: [ended("a", "Succeeded")],
      want: "CompletionsReached",
    },
    {
      name: "is complete as a queue when all have ended",
      job: aJob({ parallelism: 2 }),
      pods: [ended("a", "Succeeded")],
      want: "CompletionsReached",
    },
    {
      name: "is not while one still runs",
      job: aJob({ parallelism: 2 }),
      pods: [ended("a", "Succeeded"), aRunningPod("b", tracked)],
      want: undefined,
    },
    {
      name: "stays with its verdict",
      job: aJob(
        { completions: 1 },
        { conditions: [{ type: "FailureTarget", status: "True", reason: "DeadlineExceeded" }] },
      ),
      pods: [ended("a", "Succeeded")],
      want: "DeadlineExceeded",
    },
  ])("$name", ({ job, pods, want }) => {
    expect(decideOutcome(view(job, pods))?.reason).toBe(want);
  });

  it("obeys a success policy", () => {
    const rules = [{ succeededIndexes: "0-1", succeededCount: 1 }];
    const job = aJob(
      { completions: 5, completionMode: "Indexed", successPolicy: { rules } },
      { completedIndexes: "1" },
    );
    expect(decideOutcome(view(job, []))).toMatchObject({ type: "Complete", reason: "SuccessPolicy" });
    expect(decideOutcome(view({ ...job, status: { completedIndexes: "3" } }, []))).toBeUndefined();
  });

  it("reads a pod failure policy rule by rule", () => {
    const rules = [
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] },
      { action: "FailJob", onExitCodes: { operator: "In", values: [3] } },
    ];
    const job = aJob({ podFailurePolicy: { rules } });
    expect(judgeFailure(job, ended("p", "Failed")).action).toBe("FailJob");
    const disrupted = ended("p", "Failed");
    const conditions = [{ type: "DisruptionTarget", status: "True" }];
    expect(judgeFailure(job, { ...disrupted, status: { ...disrupted.status, conditions } }).action).toBe("Ignore");
  });
});

describe("how many pods run", () => {
  it.each([
    { name: "as many as are missing", spec: { completions: 5, parallelism: 3 }, succeeded: 4, want: 1 },
    { name: "no more than side by side", spec: { completions: 5, parallelism: 3 }, succeeded: 0, want: 3 },
    { name: "none for a queue that drains", spec: { parallelism: 3 }, succeeded: 1, want: 0 },
  ])("$name", ({ spec, succeeded, want }) => {
    expect(computeWantedActive(view(aJob(spec, { succeeded }), []))).toBe(want);
  });

  it("waits longer with each failure since the last success", () => {
    const backoff = { jobBackoffMs: 10_000, jobBackoffMaxMs: 30_000 };
    const failures = (count: number) =>
      Array.from({ length: count }, (_, index) => ended(`p${index}`, "Failed", tracked, 4));
    expect([0, 1, 2, 3, 9].map((count) => computeRetryDelay(view(aJob(), failures(count)), backoff))).toEqual([
      0, 6_000, 16_000, 26_000, 26_000,
    ]);
    const recovered = [...failures(3), ended("s", "Succeeded", tracked, 1)];
    expect(computeRetryDelay(view(aJob(), recovered), backoff)).toBe(0);
  });
});

describe("the time to live of a job", () => {
  it("counts from its end", () => {
    const conditions = [{ type: "Complete", status: "True", lastTransitionTime: at(-10) }];
    expect(computeExpiry(aJob({ ttlSecondsAfterFinished: 30 }, { conditions }))).toBe(now + 20_000);
    expect(computeExpiry(aJob({ ttlSecondsAfterFinished: 30 }))).toBeUndefined();
    expect(computeExpiry(aJob({}, { conditions }))).toBeUndefined();
  });
});
