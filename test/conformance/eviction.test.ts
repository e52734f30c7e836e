/** The eviction subresource: disruption budgets, preconditions, dry runs. Budgets' status is set here, by hand. */
import { expect } from "vitest";
import { area, type CaseTools } from "./support/conformance-case.ts";
import { aPod } from "./support/sample-objects.ts";

const budgets = "policy/v1";
const anEviction = (name: string, fields: object = {}) => ({
  apiVersion: "policy/v1",
  kind: "Eviction",
  metadata: { name },
  ...fields,
});

type Tools = Pick<CaseTools, "api" | "path">;

/** A pod that runs and is ready, as its kubelet would say. */
async function aRunningPod({ api, path }: Tools, name: string, ready = "True"): Promise<string> {
  const pods = await path("pods");
  await api.post(pods, aPod(name, { nodeName: "elsewhere" }, { labels: { app: "a" } })).expect(201);
  const status = { phase: "Running", conditions: [{ type: "Ready", status: ready }] };
  await api.patch(`${pods}/${name}/status`, "merge", { status }).expect(200);
  return `${pods}/${name}`;
}

async function aBudget({ api, path }: Tools, status: object | undefined, spec: object = {}): Promise<string> {
  const at = await path("poddisruptionbudgets", budgets);
  const body = {
    apiVersion: budgets,
    kind: "PodDisruptionBudget",
    metadata: { name: "budget" },
    spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } }, ...spec },
  };
  await api.post(at, body).expect(201);
  const full = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration: 1 };
  if (status !== undefined)
    await api.patch(`${at}/budget/status`, "merge", { status: { ...full, ...status } }).expect(200);
  return `${at}/budget`;
}

area("eviction", (conformance) => {
  conformance("without a budget the pod goes, with a Status for an answer", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one");
    const answer = await api
      .post(`${pod}/eviction`, anEviction("one"))
      .expect(201, { kind: "Status", status: "Success" });
    expect(answer.code).toBe(201);
    const ending = await api.get(pod).expect(200);
    expect(ending.metadata.deletionTimestamp).toMatch(/Z$/);
    expect(ending.status.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }),
    );
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("a budget that allows none is a 429 with its reason", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one");
    await aBudget({ api, path }, {});
    const status = await api.post(`${pod}/eviction`, anEviction("one")).refuse(429, "TooManyRequests");
    expect(status.message).toBe("Cannot evict pod as it would violate the pod's disruption budget.");
    expect(status.details.causes).toEqual([
      { reason: "DisruptionBudget", message: "The disruption budget budget needs 1 healthy pods and has 1 currently" },
    ]);
    const kept = await api.get(pod).expect(200);
    expect(kept.metadata).not.toHaveProperty("deletionTimestamp");
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("a budget that nobody has looked at yet is a 429 to be tried again", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one");
    await aBudget({ api, path }, undefined);
    const reply = await api.post(`${pod}/eviction`, anEviction("one"));
    expect(reply.status).toBe(429);
    expect(reply.headers["retry-after"]).toBe("10");
    expect(reply.body.details).toMatchObject({
      retryAfterSeconds: 10,
      causes: [
        {
          reason: "DisruptionBudget",
          message: "The disruption budget budget is still being processed by the server.",
        },
      ],
    });
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("an eviction uses the budget up", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one");
    const budget = await aBudget({ api, path }, { disruptionsAllowed: 1, currentHealthy: 2 });
    await api.post(`${pod}/eviction`, anEviction("one")).expect(201);
    const charged = await api.get(budget).expect(200);
    expect(charged.status.disruptionsAllowed).toBe(0);
    expect(Object.keys(charged.status.disruptedPods)).toEqual(["one"]);
    const other = await aRunningPod({ api, path }, "two");
    await api.post(`${other}/eviction`, anEviction("two")).refuse(429, "TooManyRequests");
    for (const at of [pod, other]) await api.delete(`${at}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("a dry run asks the budget and charges nothing", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one");
    const budget = await aBudget({ api, path }, { disruptionsAllowed: 1, currentHealthy: 2 });
    await api.post(`${pod}/eviction`, anEviction("one", { deleteOptions: { dryRun: ["All"] } })).expect(201);
    await api.post(`${pod}/eviction?dryRun=All`, anEviction("one")).expect(201);
    expect((await api.get(budget).expect(200)).status.disruptionsAllowed).toBe(1);
    expect((await api.get(pod).expect(200)).metadata).not.toHaveProperty("deletionTimestamp");
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("a pod that does not run is no disruption", async ({ api, path }) => {
    const pods = await path("pods");
    await api.post(pods, aPod("one", {}, { labels: { app: "a" } })).expect(201, { status: { phase: "Pending" } });
    await aBudget({ api, path }, {});
    await api.post(`${pods}/one/eviction`, anEviction("one")).expect(201);
    await api.get(`${pods}/one`).refuse(404, "NotFound");
  });

  conformance("an unready pod goes when enough others are healthy", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one", "False");
    await aBudget({ api, path }, {});
    await api.post(`${pod}/eviction`, anEviction("one")).expect(201);
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("an unready pod stays when they are not, unless the budget always allows", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one", "False");
    const budget = await aBudget({ api, path }, { currentHealthy: 0 });
    await api.post(`${pod}/eviction`, anEviction("one")).refuse(429, "TooManyRequests");
    await api.patch(budget, "merge", { spec: { unhealthyPodEvictionPolicy: "AlwaysAllow" } }).expect(200);
    await api.post(`${pod}/eviction`, anEviction("one")).expect(201);
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("a budget that selects other pods does not matter", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one");
    await aBudget(
      { api, path },
      {},
      { selector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["a"] }] } },
    );
    await api.post(`${pod}/eviction`, anEviction("one")).expect(201);
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("preconditions count", async ({ api, path }) => {
    const pod = await aRunningPod({ api, path }, "one");
    const deleteOptions = { preconditions: { uid: "11111111-2222-3333-4444-555555555555" } };
    await api.post(`${pod}/eviction`, anEviction("one", { deleteOptions })).refuse(409, "Conflict");
    const { metadata } = await api.get(pod).expect(200);
    expect(metadata).not.toHaveProperty("deletionTimestamp");
    const good = { preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } };
    await api.post(`${pod}/eviction`, anEviction("one", { deleteOptions: good })).expect(201);
    await api.delete(`${pod}?gracePeriodSeconds=0`).expect(200);
  });

  conformance("another name in the body is a 400, a pod that is not there a 404", async ({ api, path }) => {
    const pods = await path("pods");
    await api.post(pods, aPod("one")).expect(201);
    await api.post(`${pods}/one/eviction`, anEviction("two")).refuse(400, "BadRequest");
    await api.post(`${pods}/gone/eviction`, anEviction("gone")).refuse(404, "NotFound");
  });
});
