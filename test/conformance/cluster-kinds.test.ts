/** Volumes, budgets, priorities, nodes, namespaces, leases, events, quotas, limits, devices and certificates. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

area("persistent volumes", (conformance) => {
  const aVolume = (name: string, spec: object = {}) => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" }, ...spec },
  });
  const aClaim = (name: string, spec: object = {}) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });

  conformance("a volume is retained, holds files, and waits", async ({ api, unique, removeLater }) => {
    const name = unique("volume");
    removeLater(`/api/v1/persistentvolumes/${name}`);
    await api.post("/api/v1/persistentvolumes", aVolume(name)).expect(201, {
      spec: { persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem", hostPath: { type: "" } },
      status: { phase: "Pending" },
    });
    const status = await api
      .patch(`/api/v1/persistentvolumes/${name}`, "merge", { spec: { hostPath: { path: "/other" } } })
      .refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "spec.persistentvolumesource" });
    expect(status.message).toContain("spec.persistentvolumesource is immutable after creation");
  });

  conformance("a volume has a size, modes and a source", async ({ api }) => {
    const refuse = async (spec: object) => {
      const status = await api.post("/api/v1/persistentvolumes", aVolume("one", spec)).refuse(422, "Invalid");
      return status.details.causes.map((one: { field: string }) => one.field);
    };
    expect(await refuse({ hostPath: undefined })).toEqual(["spec"]);
    expect(await refuse({ accessModes: [] })).toEqual(["spec.accessModes"]);
    expect(await refuse({ accessModes: ["Some"] })).toEqual(["spec.accessModes"]);
    expect(await refuse({ hostPath: undefined, local: { path: "/data" } })).toEqual(["spec.nodeAffinity"]);
  });

  conformance("a claim waits, and does not change", async ({ api, path }) => {
    const claims = await path("persistentvolumeclaims");
    await api
      .post(claims, aClaim("one"))
      .expect(201, { spec: { volumeMode: "Filesystem" }, status: { phase: "Pending" } });
    const status = await api
      .patch(`${claims}/one`, "merge", { spec: { accessModes: ["ReadWriteMany"] } })
      .refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "spec", reason: "FieldValueForbidden" });
    expect(status.message).toContain(
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
    );
    await api.patch(`${claims}/one`, "merge", { spec: { volumeName: "some" } }).expect(200);
    await api.patch(`${claims}/one`, "merge", { spec: { volumeName: "other" } }).refuse(422, "Invalid");
  });

  conformance("a claim keeps its volume mode, which is told apart", async ({ api, path }) => {
    const claims = await path("persistentvolumeclaims");
    await api.post(claims, aClaim("one")).expect(201);
    const status = await api.patch(`${claims}/one`, "merge", { spec: { volumeMode: "Block" } }).refuse(422, "Invalid");
    expect(status.details.causes.map((one: { field: string }) => one.field)).toEqual(["spec", "volumeMode"]);
  });

  conformance("a claim says how much and for whom", async ({ api, path }) => {
    const claims = await path("persistentvolumeclaims");
    const size = await api.post(claims, aClaim("one", { resources: {} })).refuse(422, "Invalid");
    expect(size.details.causes).toMatchObject([{ field: "spec.resources[storage]", reason: "FieldValueRequired" }]);
    const modes = await api
      .post(claims, aClaim("one", { accessModes: ["ReadWriteOncePod", "ReadOnlyMany"] }))
      .refuse(422, "Invalid");
    expect(modes.details.causes).toMatchObject([
      {
        field: "spec.accessModes",
        message: "Forbidden: may not use ReadWriteOncePod with other access modes",
      },
    ]);
  });

  conformance(
    "a storage class deletes and binds at once, and keeps its provisioner",
    async ({ api, unique, removeLater }) => {
      const name = unique("class");
      const classes = "/apis/storage.k8s.io/v1/storageclasses";
      const one = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name } };
      removeLater(`${classes}/${name}`);
      await api.post(classes, one).refuse(422, "Invalid");
      await api
        .post(classes, { ...one, provisioner: "example.com/disk" })
        .expect(201, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" });
      const status = await api
        .patch(`${classes}/${name}`, "merge", { provisioner: "example.com/tape" })
        .refuse(422, "Invalid");
      expect(status.details.causes[0]).toMatchObject({ field: "provisioner", reason: "FieldValueInvalid" });
    },
  );
});

area("pod disruption budgets", (conformance) => {
  const aBudget = (name: string, spec: object) => ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  });

  conformance("at least or at most, not both, and not more than all", async ({ api, path }) => {
    const budgets = await path("poddisruptionbudgets", "policy/v1");
    const both = await api.post(budgets, aBudget("one", { minAvailable: 1, maxUnavailable: 1 })).refuse(422, "Invalid");
    expect(both.message).toContain("minAvailable and maxUnavailable cannot be both set");
    const much = await api.post(budgets, aBudget("one", { minAvailable: "200%" })).refuse(422, "Invalid");
    expect(much.details.causes).toMatchObject([
      { field: "spec.minAvailable", message: 'Invalid value: "200%": must not be greater than 100%' },
    ]);
    const policy = { maxUnavailable: 1, unhealthyPodEvictionPolicy: "Never" };
    const word = await api.post(budgets, aBudget("one", policy)).refuse(422, "Invalid");
    expect(word.details.causes).toMatchObject([{ reason: "FieldValueNotSupported" }]);
  });

  conformance("a budget starts with nothing counted, and counts changes", async ({ api, path }) => {
    const budgets = await path("poddisruptionbudgets", "policy/v1");
    const made = await api.post(budgets, aBudget("one", { maxUnavailable: 1 })).expect(201, {
      metadata: { generation: 1 },
      status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    });
    await api
      .put(`${budgets}/one`, { ...made, spec: { ...made.spec, maxUnavailable: 2 } })
      .expect(200, { metadata: { generation: 2 } });
    const { resourceVersion: _version, ...metadata } = made.metadata;
    await api.put(`${budgets}/one`, { ...made, metadata }).refuse(422, "Invalid");
  });
});

area("priority classes", (conformance) => {
  const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
  const aClass = (name: string, value: number) => ({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name },
    value,
  });

  conformance("the two of the system are there", async ({ api }) => {
    await api.get(`${classes}/system-cluster-critical`).expect(200, { value: 2_000_000_000 });
    await api.get(`${classes}/system-node-critical`).expect(200, { value: 2_000_001_000 });
  });

  conformance("the value stays; names and heights of the system are its own", async ({ api, unique, removeLater }) => {
    const name = unique("class");
    removeLater(`${classes}/${name}`);
    await api.post(classes, aClass(name, 10)).expect(201, { preemptionPolicy: "PreemptLowerPriority" });
    const changed = await api.patch(`${classes}/${name}`, "merge", { value: 11 }).refuse(422, "Invalid");
    expect(changed.details.causes).toMatchObject([
      { field: "value", message: "Forbidden: may not be changed in an update." },
    ]);
    const high = await api.post(classes, aClass(unique("high"), 1_000_000_001)).refuse(422, "Invalid");
    expect(high.details.causes).toMatchObject([
      {
        field: "value",
        message: "Forbidden: maximum allowed value of a user defined priority is 1000000000",
      },
    ]);
    const system = await api.post(classes, aClass("system-mine", 1)).refuse(422, "Invalid");
    expect(system.details.causes[0]).toMatchObject({ field: "metadata.name", reason: "FieldValueForbidden" });
  });

  conformance("a pod gets the number of its class", async ({ api, path, unique, removeLater }) => {
    const name = unique("class");
    removeLater(`${classes}/${name}`);
    await api.post(classes, { ...aClass(name, 77), preemptionPolicy: "Never" }).expect(201);
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "one" },
      spec: { priorityClassName: name, containers: [{ name: "a", image: "b" }] },
    };
    await api.post(await path("pods"), pod).expect(201, { spec: { priority: 77, preemptionPolicy: "Never" } });
  });
});

area("nodes", (conformance) => {
  const aNode = (name: string, fields: object = {}) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    ...fields,
  });

  conformance("what a node can give is what it has, unless it says less", async ({ api, unique, removeLater }) => {
    const name = unique("node");
    removeLater(`/api/v1/nodes/${name}`);
    const status = { capacity: { cpu: "2", memory: "4Gi" } };
    await api.post("/api/v1/nodes", aNode(name, { status })).expect(201, { status: { allocatable: { cpu: "2" } } });
    await api
      .patch(`/api/v1/nodes/${name}/status`, "merge", { status: { allocatable: { cpu: "1" } } })
      .expect(200, { status: { allocatable: { cpu: "1" } } });
  });

  conformance("taints have a key and an effect that is known, each once", async ({ api, unique }) => {
    const name = unique("node");
    const tainted = (...taints: object[]) => aNode(name, { spec: { taints } });
    const status = await api.post("/api/v1/nodes", tainted({ key: "a", effect: "Explode" })).refuse(422, "Invalid");
    expect(status.details.causes[0].reason).toBe("FieldValueNotSupported");
    const one = { key: "a", value: "1", effect: "NoSchedule" };
    const twice = await api.post("/api/v1/nodes", tainted(one, { ...one, value: "2" })).refuse(422, "Invalid");
    expect(twice.details.causes[0].reason).toBe("FieldValueDuplicate");
  });

  conformance("a node's addresses for pods stay; it may be cordoned", async ({ api, unique, removeLater }) => {
    const name = unique("node");
    removeLater(`/api/v1/nodes/${name}`);
    await api
      .post("/api/v1/nodes", aNode(name, { spec: { podCIDR: "10.9.0.0/24", podCIDRs: ["10.9.0.0/24"] } }))
      .expect(201);
    await api
      .patch(`/api/v1/nodes/${name}`, "merge", { spec: { podCIDR: "10.8.0.0/24", podCIDRs: ["10.8.0.0/24"] } })
      .refuse(422, "Invalid");
    await api.patch(`/api/v1/nodes/${name}`, "merge", { spec: { unschedulable: true } }).expect(200);
    const found = await api.get("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue").expect(200);
    expect(found.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toContain(name);
  });
});

area("namespaces", (conformance) => {
  conformance("a namespace carries its name as a label, a finalizer and a phase", async ({ api, namespace }) => {
    const name = await namespace();
    await api.get(`/api/v1/namespaces/${name}`).expect(200, {
      metadata: { labels: { "kubernetes.io/metadata.name": name } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  });

  conformance("that label stays what it is", async ({ api, namespace }) => {
    const name = await namespace();
    await api
      .patch(`/api/v1/namespaces/${name}`, "merge", { metadata: { labels: { "kubernetes.io/metadata.name": "x" } } })
      .expect(200, { metadata: { labels: { "kubernetes.io/metadata.name": name } } });
  });
});

area("leases", (conformance) => {
  const coordination = "coordination.k8s.io/v1";
  const aLease = (name: string, spec: object = {}) => ({
    apiVersion: coordination,
    kind: "Lease",
    metadata: { name },
    spec,
  });

  conformance("a lease lasts some time, and its times have six digits", async ({ api, path }) => {
    const leases = await path("leases", coordination);
    const status = await api.post(leases, aLease("one", { leaseDurationSeconds: 0 })).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "spec.leaseDurationSeconds", message: "Invalid value: 0: must be greater than 0" },
    ]);
    const renewTime = "2026-01-02T03:04:05.123456Z";
    await api.post(leases, aLease("one", { renewTime })).expect(201, { spec: { renewTime } });
  });

  conformance("an update says which version it changes", async ({ api, path }) => {
    const leases = await path("leases", coordination);
    const made = await api.post(leases, aLease("one")).expect(201);
    const { resourceVersion: _version, ...metadata } = made.metadata;
    const status = await api.put(`${leases}/one`, { ...made, metadata }).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "metadata.resourceVersion" }]);
  });
});

area("events", (conformance) => {
  conformance("one event has two faces", async ({ api, path, namespace }) => {
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "one" },
      involvedObject: { kind: "Pod", name: "p", namespace: await namespace() },
      reason: "Started",
      message: "it runs",
      type: "Normal",
      source: { component: "kubelet" },
      firstTimestamp: "2026-01-02T03:04:05Z",
      lastTimestamp: "2026-01-02T03:04:05Z",
      count: 2,
    };
    await api.post(await path("events"), event).expect(201);
    await api.get(`${await path("events", "events.k8s.io/v1")}/one`).expect(200, {
      apiVersion: "events.k8s.io/v1",
      regarding: { kind: "Pod", name: "p" },
      note: "it runs",
      deprecatedCount: 2,
      deprecatedSource: { component: "kubelet" },
    });
  });

  conformance("events are found by what they are about", async ({ api, path, namespace }) => {
    const events = await path("events");
    for (const name of ["a", "b"]) {
      const involvedObject = { kind: "Pod", name, namespace: await namespace() };
      await api
        .post(events, { apiVersion: "v1", kind: "Event", metadata: { name }, involvedObject, reason: "R" })
        .expect(201);
    }
    const found = await api.get(`${events}?fieldSelector=involvedObject.name%3Db,reason%3DR`).expect(200);
    expect(found.items).toHaveLength(1);
  });

  conformance("an event is about something in its own namespace", async ({ api, path }) => {
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "one" },
      involvedObject: { kind: "Pod", name: "p", namespace: "elsewhere" },
    };
    const status = await api.post(await path("events"), event).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "involvedObject.namespace",
        message: 'Invalid value: "elsewhere": does not match event.namespace',
      },
    ]);
  });

  conformance("the newer kind wants a time, a reporter and an action", async ({ api, path, namespace }) => {
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "one" },
      regarding: { kind: "Pod", name: "p", namespace: await namespace() },
      eventTime: "2026-01-02T03:04:05.000000Z",
      type: "Normal",
      reason: "R",
    };
    const events = await path("events", "events.k8s.io/v1");
    const status = await api.post(events, event).refuse(422, "Invalid");
    const fields = status.details.causes.map((one: { field: string }) => one.field);
    expect(fields).toEqual(expect.arrayContaining(["reportingController", "reportingInstance", "action"]));
    const whole = { ...event, reportingController: "example.com/c", reportingInstance: "i", action: "Go" };
    await api.post(events, whole).expect(201, { reportingController: "example.com/c" });
  });
});

area("limits and quotas", (conformance) => {
  conformance("the limits of containers follow from each other", async ({ api, path }) => {
    const range = {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "one" },
      spec: { limits: [{ type: "Container", max: { cpu: "2" }, min: { memory: "1Mi" } }] },
    };
    await api.post(await path("limitranges"), range).expect(201, {
      spec: { limits: [{ default: { cpu: "2" }, defaultRequest: { cpu: "2", memory: "1Mi" } }] },
    });
  });

  conformance("a minimum above the maximum", async ({ api, path }) => {
    const range = {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "one" },
      spec: { limits: [{ type: "Pod", max: { cpu: "1" }, min: { cpu: "2" } }] },
    };
    const status = await api.post(await path("limitranges"), range).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.limits[0].min[cpu]",
        message: 'Invalid value: "2": min value 2 is greater than max value 1',
      },
    ]);
  });
});

area("resource claims", (conformance) => {
  const resource = "resource.k8s.io/v1";
  const aClaim = (name: string, requests: object[]) => ({
    apiVersion: resource,
    kind: "ResourceClaim",
    metadata: { name },
    spec: { devices: { requests } },
  });

  conformance("one device of its class, unless it says otherwise; the spec stays", async ({ api, path }) => {
    const claims = await path("resourceclaims", resource);
    const request = { name: "gpu", exactly: { deviceClassName: "gpu.example.com" } };
    await api.post(claims, aClaim("one", [request])).expect(201, {
      spec: { devices: { requests: [{ name: "gpu", exactly: { allocationMode: "ExactCount", count: 1 } }] } },
    });
    const status = await api
      .patch(`${claims}/one`, "merge", { spec: { devices: { requests: [{ ...request, name: "other" }] } } })
      .refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "spec", reason: "FieldValueInvalid" });
  });
});
