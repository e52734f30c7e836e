/** Ingresses, network policies and endpoint slices: what is filled in, what is refused. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

const networking = "networking.k8s.io/v1";
const backend = { service: { name: "web", port: { number: 80 } } };
const anIngress = (name: string, spec: object) => ({
  apiVersion: networking,
  kind: "Ingress",
  metadata: { name },
  spec,
});
const paths = (...list: object[]) => ({ rules: [{ http: { paths: list } }] });

area("ingresses", (conformance) => {
  conformance("an ingress needs rules or a backend for the rest", async ({ api, path }) => {
    const ingresses = await path("ingresses", networking);
    const status = await api.post(ingresses, anIngress("one", {})).refuse(422, "Invalid");
    expect(status.message).toContain("either `defaultBackend` or `rules` must be specified");
    await api
      .post(ingresses, anIngress("one", { defaultBackend: backend }))
      .expect(201, { metadata: { generation: 1 }, status: { loadBalancer: {} } });
  });

  conformance("a path has a type, and starts at the root", async ({ api, path }) => {
    const ingresses = await path("ingresses", networking);
    const untyped = await api.post(ingresses, anIngress("one", paths({ path: "/", backend }))).refuse(422, "Invalid");
    expect(untyped.details.causes).toMatchObject([
      { field: "spec.rules[0].http.paths[0].pathType", message: "Required value: pathType must be specified" },
    ]);
    const relative = paths({ path: "a", pathType: "Prefix", backend });
    const root = await api.post(ingresses, anIngress("one", relative)).refuse(422, "Invalid");
    expect(root.details.causes).toMatchObject([
      { field: "spec.rules[0].http.paths[0].path", message: 'Invalid value: "a": must be an absolute path' },
    ]);
    const twisted = paths({ path: "/a/../b", pathType: "Exact", backend });
    await api.post(ingresses, anIngress("one", twisted)).refuse(422, "Invalid");
    const own = paths({ path: "/a/../b", pathType: "ImplementationSpecific", backend });
    await api.post(ingresses, anIngress("one", own)).expect(201);
  });

  conformance("a host is a name, perhaps with one star in front", async ({ api, path }) => {
    const ingresses = await path("ingresses", networking);
    const host = (name: string) => anIngress("one", { rules: [{ host: name }] });
    const ip = await api.post(ingresses, host("10.0.0.1")).refuse(422, "Invalid");
    expect(ip.details.causes[0].message).toBe('Invalid value: "10.0.0.1": must be a DNS name, not an IP address');
    await api.post(ingresses, host("*.*.example.com")).refuse(422, "Invalid");
    await api.post(ingresses, host("*.example.com")).expect(201);
  });

  conformance("a backend is a service with one port, or a resource", async ({ api, path }) => {
    const ingresses = await path("ingresses", networking);
    const refuse = async (one: object) => {
      const status = await api.post(ingresses, anIngress("one", { defaultBackend: one })).refuse(422, "Invalid");
      return status.details.causes[0];
    };
    expect(await refuse({ service: { name: "web" } })).toMatchObject({
      field: "spec.defaultBackend",
      message: "Required value: port name or number is required",
    });
    expect(await refuse({ service: { name: "web", port: { name: "a", number: 1 } } })).toMatchObject({
      message: 'Invalid value: "": cannot set both port name & port number',
    });
    expect(await refuse({})).toMatchObject({ message: 'Invalid value: "": resource or service backend is required' });
  });

  conformance("a class keeps its controller", async ({ api, unique, removeLater }) => {
    const name = unique("class");
    const classes = "/apis/networking.k8s.io/v1/ingressclasses";
    const one = { apiVersion: networking, kind: "IngressClass", metadata: { name } };
    removeLater(`${classes}/${name}`);
    await api.post(classes, { ...one, spec: { controller: "plain" } }).refuse(422, "Invalid");
    const parameters = { kind: "Config", name: "a", apiGroup: "example.com" };
    await api
      .post(classes, { ...one, spec: { controller: "example.com/c", parameters } })
      .expect(201, { spec: { parameters: { scope: "Cluster" } } });
    const status = await api
      .patch(`${classes}/${name}`, "merge", { spec: { controller: "example.com/d" } })
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "spec.controller", reason: "FieldValueInvalid" }]);
  });
});

const aPolicy = (name: string, spec: object) => ({
  apiVersion: networking,
  kind: "NetworkPolicy",
  metadata: { name },
  spec,
});

area("network policies", (conformance) => {
  conformance("a policy is about what comes in, and about what goes out if it says so", async ({ api, path }) => {
    const policies = await path("networkpolicies", networking);
    await api.post(policies, aPolicy("one", {})).expect(201, {
      metadata: { generation: 1 },
      spec: { podSelector: {}, policyTypes: ["Ingress"] },
    });
    const egress = [{ ports: [{ port: 53 }] }];
    await api.post(policies, aPolicy("two", { podSelector: {}, egress })).expect(201, {
      spec: { policyTypes: ["Ingress", "Egress"], egress: [{ ports: [{ port: 53, protocol: "TCP" }] }] },
    });
  });

  conformance("a peer is somebody, and a block is not also somebody else", async ({ api, path }) => {
    const policies = await path("networkpolicies", networking);
    const from = (peer: object) => aPolicy("one", { podSelector: {}, ingress: [{ from: [peer] }] });
    const nobody = await api.post(policies, from({})).refuse(422, "Invalid");
    expect(nobody.details.causes).toMatchObject([
      { field: "spec.ingress[0].from[0]", message: "Required value: must specify a peer" },
    ]);
    const both = await api
      .post(policies, from({ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }))
      .refuse(422, "Invalid");
    expect(both.details.causes[0].message).toBe("Forbidden: may not specify both ipBlock and another peer");
    const outside = await api
      .post(policies, from({ ipBlock: { cidr: "10.0.0.0/8", except: ["192.168.0.0/16"] } }))
      .refuse(422, "Invalid");
    expect(outside.details.causes).toMatchObject([
      {
        field: "spec.ingress[0].from[0].ipBlock.except[0]",
        message: 'Invalid value: "192.168.0.0/16": must be a strict subset of `cidr`',
      },
    ]);
    await api.post(policies, from({ ipBlock: { cidr: "10/8" } })).refuse(422, "Invalid");
    await api.post(policies, from({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } })).expect(201);
  });

  conformance("a range of ports ends after it starts, and starts with a number", async ({ api, path }) => {
    const policies = await path("networkpolicies", networking);
    const port = (one: object) => aPolicy("one", { podSelector: {}, ingress: [{ ports: [one] }] });
    const back = await api.post(policies, port({ port: 90, endPort: 80 })).refuse(422, "Invalid");
    expect(back.details.causes[0].message).toContain("must be greater than or equal to `port`");
    const named = await api.post(policies, port({ port: "web", endPort: 80 })).refuse(422, "Invalid");
    expect(named.details.causes[0].message).toContain("may not be specified when `port` is non-numeric");
  });
});

const aSlice = (name: string, fields: object) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name },
  endpoints: [],
  ports: [],
  ...fields,
});

area("endpoint slices", (conformance) => {
  conformance("ports have a name, if an empty one, and a protocol", async ({ api, path }) => {
    const slice = aSlice("one", {
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.1.2.3"] }],
      ports: [{ port: 80 }],
    });
    await api
      .post(await path("endpointslices", "discovery.k8s.io/v1"), slice)
      .expect(201, { ports: [{ port: 80, name: "", protocol: "TCP" }] });
  });

  conformance("addresses are of the type of the slice, which stays", async ({ api, path }) => {
    const slices = await path("endpointslices", "discovery.k8s.io/v1");
    const untyped = await api.post(slices, aSlice("one", {})).refuse(422, "Invalid");
    expect(untyped.details.causes[0]).toMatchObject({ field: "addressType", reason: "FieldValueRequired" });
    const wrong = aSlice("one", { addressType: "IPv4", endpoints: [{ addresses: ["web"] }] });
    const status = await api.post(slices, wrong).refuse(422, "Invalid");
    expect(status.details.causes[0].field).toBe("endpoints[0].addresses[0]");
    const none = aSlice("one", { addressType: "IPv4", endpoints: [{ addresses: [] }] });
    await api.post(slices, none).refuse(422, "Invalid");
    await api.post(slices, aSlice("one", { addressType: "IPv4" })).expect(201);
    const changed = await api.patch(`${slices}/one`, "merge", { addressType: "IPv6" }).refuse(422, "Invalid");
    expect(changed.details.causes).toMatchObject([{ field: "addressType", reason: "FieldValueInvalid" }]);
  });
});
