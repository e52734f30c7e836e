/** Jobs and cron jobs: generated selectors, completion modes, templates that stay, schedules. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aContainer } from "./support/manifests.ts";

const batch = "batch/v1";
const template = { spec: { restartPolicy: "Never", containers: [aContainer()] } };
const aJob = (name: string, spec: object = {}) => ({
  apiVersion: batch,
  kind: "Job",
  metadata: { name },
  spec: { template, ...spec },
});
const aCronJob = (name: string, spec: object = {}) => ({
  apiVersion: batch,
  kind: "CronJob",
  metadata: { name },
  spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template } }, ...spec },
});

area("jobs", (conformance) => {
  conformance("a job runs once, tries again six times, and finds its pods by its uid", async ({ api, path }) => {
    const job = await api.post(await path("jobs", batch), aJob("one")).expect(201, {
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: "NonIndexed",
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: "TerminatingOrFailed",
      },
    });
    const { uid } = job.metadata;
    expect(job.spec.selector).toEqual({ matchLabels: { "batch.kubernetes.io/controller-uid": uid } });
    expect(job.spec.template.metadata.labels).toEqual({
      "batch.kubernetes.io/controller-uid": uid,
      "batch.kubernetes.io/job-name": "one",
      "controller-uid": uid,
      "job-name": "one",
    });
  });

  conformance("read back, a job without labels has those of its template", async ({ api, path }) => {
    const jobs = await path("jobs", batch);
    const { spec } = await api.post(jobs, aJob("one")).expect(201);
    const { metadata } = await api.get(`${jobs}/one`).expect(200);
    expect(metadata.labels).toEqual(spec.template.metadata.labels);
  });

  conformance("with a parallelism alone, it ends when one pod says so", async ({ api, path }) => {
    const job = await api.post(await path("jobs", batch), aJob("one", { parallelism: 3 })).expect(201);
    expect(job.spec.completions).toBeUndefined();
  });

  conformance("pods of a job do not run for ever", async ({ api, path }) => {
    const always = { template: { spec: { containers: [aContainer()] } } };
    const status = await api.post(await path("jobs", batch), aJob("one", always)).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.template.spec.restartPolicy",
        message: 'Required value: valid values: "OnFailure", "Never"',
      },
    ]);
  });

  conformance("a selector of one's own is refused, unless it is said to be", async ({ api, path }) => {
    const jobs = await path("jobs", batch);
    const own = { selector: { matchLabels: { a: "b" } } };
    await api.post(jobs, aJob("one", own)).refuse(422, "Invalid");
    const manual = {
      ...own,
      manualSelector: true,
      template: { ...template, metadata: { labels: { a: "b" } } },
    };
    await api.post(jobs, aJob("one", manual)).expect(201, { spec: { selector: { matchLabels: { a: "b" } } } });
  });

  conformance("indexed completion needs a count", async ({ api, path }) => {
    const jobs = await path("jobs", batch);
    const status = await api
      .post(jobs, aJob("one", { completionMode: "Indexed", parallelism: 2 }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "spec.completions", message: "Required value: when completion mode is Indexed" },
    ]);
    await api.post(jobs, aJob("one", { completionMode: "Indexed", completions: 2 })).expect(201);
    const limits = await api.post(jobs, aJob("two", { backoffLimitPerIndex: 1 })).refuse(422, "Invalid");
    expect(limits.details.causes).toMatchObject([
      { field: "spec.backoffLimitPerIndex", message: "Invalid value: 1: requires indexed completion mode" },
    ]);
  });

  conformance("an indexed job may grow in tandem, another may not", async ({ api, path }) => {
    const jobs = await path("jobs", batch);
    await api.post(jobs, aJob("one", { completionMode: "Indexed", completions: 2, parallelism: 2 })).expect(201);
    await api.patch(`${jobs}/one`, "merge", { spec: { completions: 3, parallelism: 3 } }).expect(200);
    const alone = await api.patch(`${jobs}/one`, "merge", { spec: { completions: 4 } }).refuse(422, "Invalid");
    expect(alone.details.causes).toMatchObject([
      {
        field: "spec.completions",
        message: "Invalid value: 4: can only be modified in tandem with spec.parallelism",
      },
    ]);
    await api.post(jobs, aJob("two")).expect(201);
    const plain = await api.patch(`${jobs}/two`, "merge", { spec: { completions: 2 } }).refuse(422, "Invalid");
    expect(plain.details.causes).toMatchObject([
      { field: "spec.completions", message: "Invalid value: 2: field is immutable" },
    ]);
  });

  conformance("the template stays; of a suspended job, where it runs may change", async ({ api, path }) => {
    const jobs = await path("jobs", batch);
    await api.post(jobs, aJob("one")).expect(201);
    const nodes = { spec: { template: { spec: { nodeSelector: { a: "b" } } } } };
    const status = await api.patch(`${jobs}/one`, "merge", nodes).refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "spec.template", reason: "FieldValueInvalid" });
    await api.post(jobs, aJob("two", { suspend: true })).expect(201);
    await api.patch(`${jobs}/two`, "merge", nodes).expect(200);
    await api
      .patch(`${jobs}/two`, "strategic", {
        spec: { template: { spec: { containers: [{ name: "main", image: "b" }] } } },
      })
      .refuse(422, "Invalid");
  });

  conformance("a failure policy is for pods that are not restarted in place", async ({ api, path }) => {
    const podFailurePolicy = { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }] };
    const jobs = await path("jobs", batch);
    const made = await api.post(jobs, aJob("one", { podFailurePolicy })).expect(201, {
      spec: { podReplacementPolicy: "Failed" },
    });
    expect(made.spec.podFailurePolicy.rules[0].onPodConditions[0].status).toBe("True");
    const inPlace = { podFailurePolicy, template: { spec: { ...template.spec, restartPolicy: "OnFailure" } } };
    const status = await api.post(jobs, aJob("two", inPlace)).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.template.spec.restartPolicy",
        message: 'Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
      },
    ]);
  });
});

area("cron jobs", (conformance) => {
  conformance("a cron job keeps three jobs that went well and one that did not", async ({ api, path }) => {
    await api.post(await path("cronjobs", batch), aCronJob("one")).expect(201, {
      metadata: { generation: 1 },
      spec: {
        concurrencyPolicy: "Allow",
        suspend: false,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
      },
    });
  });

  conformance("schedules that say nothing", async ({ api, path }) => {
    const jobs = await path("cronjobs", batch);
    const refuse = async (schedule: string) => {
      const status = await api.post(jobs, aCronJob("one", { schedule })).refuse(422, "Invalid");
      expect(status.details.causes[0].field).toBe("spec.schedule");
      return status.details.causes[0].message;
    };
    expect(await refuse("* * * *")).toBe('Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]');
    expect(await refuse("61 * * * *")).toBe('Invalid value: "61 * * * *": end of range (61) above maximum (59): 61');
    expect(await refuse("* * 0 * *")).toBe('Invalid value: "* * 0 * *": beginning of range (0) below minimum (1): 0');
    expect(await refuse("@sometimes")).toBe('Invalid value: "@sometimes": unrecognized descriptor: @sometimes');
    expect(await refuse("")).toBe("Required value");
    expect(await refuse("TZ=UTC 0 0 * * *")).toBe(
      'Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    );
    for (const schedule of ["@daily", "0 9 * jan mon-fri", "*/15 0-6/2 1,15 * ?"])
      await api.post(jobs, aCronJob(`ok-${schedule.length}`, { schedule })).expect(201);
  });

  conformance("a zone must be one, a policy known, a name short", async ({ api, path }) => {
    const jobs = await path("cronjobs", batch);
    await api.post(jobs, aCronJob("one", { timeZone: "Europe/Zurich" })).expect(201);
    const zone = await api.post(jobs, aCronJob("two", { timeZone: "Mars/Base" })).refuse(422, "Invalid");
    expect(zone.details.causes[0]).toMatchObject({
      field: "spec.timeZone",
      message: 'Invalid value: "Mars/Base": unknown time zone Mars/Base',
    });
    const policy = await api.post(jobs, aCronJob("two", { concurrencyPolicy: "Queue" })).refuse(422, "Invalid");
    expect(policy.details.causes[0]).toMatchObject({
      field: "spec.concurrencyPolicy",
      message: 'Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"',
    });
    const name = "a".repeat(53);
    const long = await api.post(jobs, aCronJob(name)).refuse(422, "Invalid");
    expect(long.details.causes[0]).toMatchObject({
      field: "metadata.name",
      message: `Invalid value: "${name}": must be no more than 52 characters`,
    });
  });

  conformance("its jobs generate their own selectors", async ({ api, path }) => {
    const jobTemplate = { spec: { template, selector: { matchLabels: { a: "b" } } } };
    const status = await api
      .post(await path("cronjobs", batch), aCronJob("one", { jobTemplate }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "spec.jobTemplate.spec.selector" }]);
    expect(status.message).toContain("`selector` will be auto-generated");
  });
});
