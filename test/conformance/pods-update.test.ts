/** Pods: what may change of one, its generation, and its subresources. */
import { expect } from "vitest";
import { area, type CaseTools } from "./support/conformance-case.ts";
import { aContainer, aPod } from "./support/manifests.ts";

async function create({ api, path }: CaseTools, spec: Record<string, unknown> = {}): Promise<string> {
  const pods = await path("pods");
  await api.post(pods, aPod("one", spec)).expect(201);
  return `${pods}/one`;
}

area("pods: updates", (conformance) => {
  conformance("an image may change, and counts in the generation", async (tools) => {
    const pod = await create(tools);
    await tools.api
      .patch(pod, "strategic", { spec: { containers: [{ name: "main", image: "app:2" }] } })
      .expect(200, { metadata: { generation: 2 }, spec: { containers: [{ image: "app:2" }] } });
    await tools.api
      .patch(pod, "merge", { metadata: { labels: { a: "b" } } })
      .expect(200, { metadata: { generation: 2 } });
  });

  conformance("a command may not, and the message says what may", async (tools) => {
    const pod = await create(tools);
    const status = await tools.api
      .patch(pod, "strategic", { spec: { containers: [{ name: "main", command: ["sleep"] }] } })
      .refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "spec", reason: "FieldValueForbidden" });
    expect(status.message).toContain(
      "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    );
  });

  conformance("containers neither come nor go", async (tools) => {
    const pod = await create(tools);
    const status = await tools.api
      .patch(pod, "strategic", { spec: { containers: [{ name: "more", image: "app:1" }] } })
      .refuse(422, "Invalid");
    expect(status.details.causes).toContainEqual({
      field: "spec.containers",
      reason: "FieldValueForbidden",
      message: "Forbidden: pod updates may not add or remove containers",
    });
  });

  conformance("a deadline may be set and shortened, not lengthened or taken away", async (tools) => {
    const pod = await create(tools);
    const set = (seconds: number | null) => tools.api.patch(pod, "merge", { spec: { activeDeadlineSeconds: seconds } });
    await set(100).expect(200);
    await set(50).expect(200);
    const longer = await set(60).refuse(422, "Invalid");
    expect(longer.details.causes).toMatchObject([
      { message: "Invalid value: 60: must be less than or equal to previous value" },
    ]);
    await set(null).refuse(422, "Invalid");
  });

  conformance("tolerations may be added, not removed", async (tools) => {
    const pod = await create(tools);
    const now = await tools.api.get(pod).expect(200);
    const more = [...now.spec.tolerations, { key: "a", operator: "Exists" }];
    await tools.api.patch(pod, "merge", { spec: { tolerations: more } }).expect(200);
    const status = await tools.api.patch(pod, "merge", { spec: { tolerations: [] } }).refuse(422, "Invalid");
    expect(status.details.causes).toContainEqual({
      field: "spec.tolerations",
      reason: "FieldValueForbidden",
      message: "Forbidden: existing toleration can not be modified except its tolerationSeconds",
    });
  });

  conformance("gates may be removed, not added", async (tools) => {
    const pod = await create(tools, { schedulingGates: [{ name: "a" }, { name: "b" }] });
    await tools.api.patch(pod, "merge", { spec: { schedulingGates: [{ name: "a" }] } }).expect(200);
    await tools.api
      .patch(pod, "merge", { spec: { schedulingGates: [{ name: "a" }, { name: "c" }] } })
      .refuse(422, "Invalid");
    await tools.api.patch(pod, "merge", { spec: { schedulingGates: null } }).expect(200);
    await tools.api.patch(pod, "merge", { spec: { schedulingGates: [{ name: "a" }] } }).refuse(422, "Invalid");
  });

  conformance("while it is gated, a pod's node selector may grow", async (tools) => {
    const pod = await create(tools, { schedulingGates: [{ name: "a" }], nodeSelector: { zone: "x" } });
    await tools.api.patch(pod, "merge", { spec: { nodeSelector: { disk: "ssd" } } }).expect(200);
    await tools.api.patch(pod, "merge", { spec: { nodeSelector: { zone: "y" } } }).refuse(422, "Invalid");
    await tools.api.patch(pod, "merge", { spec: { schedulingGates: null } }).expect(200);
    await tools.api.patch(pod, "merge", { spec: { nodeSelector: { more: "y" } } }).refuse(422, "Invalid");
  });

  conformance("the status is written through its subresource alone", async (tools) => {
    const pod = await create(tools);
    await tools.api.patch(pod, "merge", { status: { phase: "Running" } }).expect(200, { status: { phase: "Pending" } });
    await tools.api
      .patch(`${pod}/status`, "merge", { status: { phase: "Running" }, spec: { activeDeadlineSeconds: 5 } })
      .expect(200, { status: { phase: "Running" }, metadata: { generation: 1 } });
    const after = await tools.api.get(pod).expect(200);
    expect(after.spec.activeDeadlineSeconds).toBeUndefined();
  });

  conformance("the quality of service stays what it was", async (tools) => {
    const pod = await create(tools);
    const status = await tools.api
      .patch(`${pod}/status`, "merge", { status: { qosClass: "Guaranteed" } })
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "status.qosClass", message: 'Invalid value: "Guaranteed": field is immutable' },
    ]);
  });

  conformance("an ephemeral container is added through its subresource, and stays", async (tools) => {
    const pod = await create(tools);
    const debug = { name: "debug", image: "busybox", targetContainerName: "main" };
    const made = await tools.api
      .patch(`${pod}/ephemeralcontainers`, "strategic", { spec: { ephemeralContainers: [debug] } })
      .expect(200, { kind: "Pod", metadata: { generation: 2 } });
    expect(made.spec.ephemeralContainers).toMatchObject([
      { ...debug, imagePullPolicy: "Always", terminationMessagePolicy: "File" },
    ]);
    const status = await tools.api
      .patch(`${pod}/ephemeralcontainers`, "merge", { spec: { ephemeralContainers: null } })
      .refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({
      field: "spec.ephemeralContainers",
      reason: "FieldValueForbidden",
    });
  });

  conformance("an ephemeral container has no ports, and a target that is there", async (tools) => {
    const pod = await create(tools);
    const debug = { name: "debug", image: "busybox", ports: [{ containerPort: 80 }], targetContainerName: "none" };
    const status = await tools.api
      .patch(`${pod}/ephemeralcontainers`, "strategic", { spec: { ephemeralContainers: [debug] } })
      .refuse(422, "Invalid");
    const fields = status.details.causes.map((one: { field: string }) => one.field);
    expect(fields).toContain("spec.ephemeralContainers[0].ports");
    expect(fields).toContain("spec.ephemeralContainers[0].targetContainerName");
  });

  conformance("a resize changes cpu and memory, not the class of the pod", async (tools) => {
    const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "128Mi" } };
    const pod = await create(tools, { containers: [aContainer({ resources })] });
    const resize = (next: object) =>
      tools.api.patch(`${pod}/resize`, "strategic", { spec: { containers: [{ name: "main", resources: next }] } });
    await resize({ requests: { cpu: "150m" } }).expect(200, {
      metadata: { generation: 2 },
      spec: { containers: [{ resources: { requests: { cpu: "150m", memory: "64Mi" } } }] },
    });
    await resize({ requests: { cpu: "200m", memory: "128Mi" } }).refuse(422, "Invalid");
    await tools.api
      .patch(pod, "strategic", { spec: { containers: [{ name: "main", resources: { requests: { cpu: "110m" } } }] } })
      .refuse(422, "Invalid");
  });

  conformance("a binding puts the pod on its node, once", async (tools) => {
    const pod = await create(tools);
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "one" },
      target: { kind: "Node", name: "n1" },
    };
    await tools.api.post(`${pod}/binding`, binding).expect(201, { kind: "Status", status: "Success" });
    const bound = await tools.api.get(pod).expect(200, { spec: { nodeName: "n1" } });
    expect(bound.status.conditions).toMatchObject([{ type: "PodScheduled", status: "True" }]);
    const { metadata } = await tools.api.get(pod).expect(200);
    expect(metadata.generation).toBe(1);
    await tools.api.post(`${pod}/binding`, binding).refuse(409, "Conflict");
  });

  conformance("a binding names a node", async (tools) => {
    const pod = await create(tools);
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: "one" }, target: { kind: "Node" } };
    await tools.api.post(`${pod}/binding`, binding).expect(500, { message: "target.name: Required value" });
  });

  conformance("a gated pod is bound nowhere", async (tools) => {
    const pod = await create(tools, { schedulingGates: [{ name: "a" }] });
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "one" },
      target: { kind: "Node", name: "n1" },
    };
    expect((await tools.api.post(`${pod}/binding`, binding)).status).toBeGreaterThanOrEqual(400);
  });

  conformance("pods are found by fields of theirs", async (tools) => {
    await create(tools, { restartPolicy: "Never" });
    const pods = await tools.path("pods");
    const names = async (selector: string) =>
      (await tools.api.get(`${pods}?fieldSelector=${encodeURIComponent(selector)}`).expect(200)).items.length;
    expect(await names("spec.restartPolicy=Never,status.phase=Pending,spec.nodeName=")).toBe(1);
    expect(await names("spec.restartPolicy!=Never")).toBe(0);
    expect(await names("spec.serviceAccountName=default,spec.schedulerName=default-scheduler")).toBe(1);
    await tools.api.get(`${pods}?fieldSelector=spec.hostname%3Da`).refuse(400, "BadRequest");
  });
});
