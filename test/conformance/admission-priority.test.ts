/** Admission of pods: priority classes. */
import { expect } from "vitest";
import { area, eventually } from "./support/conformance-case.ts";

const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
const aClass = (name: string, fields: object = {}) => ({
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  metadata: { name },
  value: 1000,
  ...fields,
});
const aPod = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image: "registry.example.com/app:1" }], ...spec },
});

area("admission: priority", (conformance) => {
  conformance("without a class the priority is zero and preemption is allowed", async ({ api, path }) => {
    const { spec } = await api.post(await path("pods"), aPod("one")).expect(201);
    expect(spec.priority).toBe(0);
    expect(spec.preemptionPolicy).toBe("PreemptLowerPriority");
    expect(spec.priorityClassName).toBeUndefined();
  });

  conformance("value and preemption policy come from the class", async ({ api, path, unique, removeLater }) => {
    const name = unique("class");
    await api.post(classes, aClass(name, { preemptionPolicy: "Never" })).expect(201);
    removeLater(`${classes}/${name}`);
    const pods = await path("pods");
    await eventually("the class is known", async () => {
      const reply = await api.post(`${pods}?dryRun=All`, aPod("probe", { priorityClassName: name }));
      return reply.status === 201;
    });
    const { spec } = await api.post(pods, aPod("one", { priorityClassName: name })).expect(201);
    expect(spec).toMatchObject({ priority: 1000, priorityClassName: name, preemptionPolicy: "Never" });
    const status = await api.post(pods, aPod("two", { priorityClassName: name, priority: 5 })).refuse(403, "Forbidden");
    expect(status.message).toBe(
      'pods "two" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name',
    );
    const policy = { priorityClassName: name, preemptionPolicy: "PreemptLowerPriority" };
    await api.post(pods, aPod("three", policy)).refuse(403, "Forbidden");
  });

  conformance("a class that does not exist is refused", async ({ api, path }) => {
    await api.post(await path("pods"), aPod("one", { priorityClassName: "no-such-class" })).refuse(403, "Forbidden", {
      message: 'pods "one" is forbidden: no PriorityClass with name no-such-class was found',
    });
  });

  conformance("the classes of the system are there", async ({ api, path }) => {
    expect((await api.get(`${classes}/system-node-critical`).expect(200)).value).toBe(2_000_001_000);
    expect((await api.get(`${classes}/system-cluster-critical`).expect(200)).value).toBe(2_000_000_000);
    const { spec } = await api
      .post(await path("pods"), aPod("one", { priorityClassName: "system-node-critical" }))
      .expect(201);
    expect(spec.priority).toBe(2_000_001_000);
  });
});
