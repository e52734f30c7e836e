/** APIServices: every group version that the server itself answers has one, that of a definition too while it is there. */
import { expect } from "vitest";
import { area, type Body, eventually } from "./support/conformance-case.ts";

const services = "/apis/apiregistration.k8s.io/v1/apiservices";

area("api services", (conformance) => {
  conformance("a built-in group version is local and available", async ({ api }) => {
    const service = await api.get(`${services}/v1.apps`).expect(200, {
      metadata: { labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
      spec: { group: "apps", version: "v1", groupPriorityMinimum: 17_800, versionPriority: 15 },
    });
    expect(service.spec.service).toBeUndefined();
    expect(service.status.conditions).toMatchObject([
      { type: "Available", status: "True", reason: "Local", message: "Local APIServices are always available" },
    ]);
    await api.get(`${services}/v1.`).expect(200, { spec: { version: "v1", groupPriorityMinimum: 18_000 } });
  });

  conformance("its name says what it serves, and its priorities have bounds", async ({ api, unique }) => {
    const group = `${unique("group")}.example.com`;
    const spec = { group, version: "v1", groupPriorityMinimum: 20_001, versionPriority: 0, service: { name: "one" } };
    const body = { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name: "other" }, spec };
    const status = await api.post(services, body).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "metadata.name",
        message: `Invalid value: "other": must be \`spec.version+"."+spec.group\`: "v1.${group}"`,
      },
      { field: "spec.groupPriorityMinimum", message: "Invalid value: 20001: must be positive and less than 20000" },
      { field: "spec.versionPriority", message: "Invalid value: 0: must be positive and less than 1000" },
      { field: "spec.service.namespace", reason: "FieldValueRequired" },
    ]);
  });

  conformance("that of a definition comes and goes with it", async ({ api, define }) => {
    const { group, plural } = await define({ kind: "Widget", schema: { type: "object" } });
    const path = `${services}/v1.${group}`;
    await eventually(`${path} is there`, async () => (await api.get(path)).status === 200);
    const service: Body = await api.get(path).expect(200);
    expect(service.metadata.labels).toEqual({ "kube-aggregator.kubernetes.io/automanaged": "true" });
    expect(service.spec).toMatchObject({ group, version: "v1", groupPriorityMinimum: 1000, versionPriority: 100 });
    await api.delete(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`).expect(200);
    await eventually(`${path} is gone`, async () => (await api.get(path)).status === 404);
  });
});
