/** Services: cluster IPs and node ports, what a type implies, and what stays. */
import { expect } from "vitest";
import { area, eventually } from "./support/conformance-case.ts";
import { aService } from "./support/manifests.ts";

area("services", (conformance) => {
  conformance("a service gets an address, families, policies and the target of its port", async ({ api, path }) => {
    const service = await api.post(await path("services"), aService("one")).expect(201, {
      spec: {
        type: "ClusterIP",
        sessionAffinity: "None",
        internalTrafficPolicy: "Cluster",
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
      },
      status: { loadBalancer: {} },
    });
    expect(service.spec.clusterIP).toMatch(/^10\./);
    expect(service.spec.clusterIPs).toEqual([service.spec.clusterIP]);
    expect(service.spec.externalTrafficPolicy).toBeUndefined();
  });

  conformance("the API server has one, out of the range of the cluster", async ({ api }) => {
    const service = await api.get("/api/v1/namespaces/default/services/kubernetes").expect(200, {
      metadata: { labels: { component: "apiserver", provider: "kubernetes" } },
      spec: { type: "ClusterIP", ports: [{ name: "https", port: 443, protocol: "TCP" }] },
    });
    const range = await api.get("/apis/networking.k8s.io/v1/servicecidrs/kubernetes").expect(200);
    expect(range.status.conditions).toMatchObject([{ type: "Ready", status: "True" }]);
    const start: string = range.spec.cidrs[0].replace(/\.0\/\d+$/, ".");
    expect(service.spec.clusterIP).toBe(`${start}1`);
  });

  conformance("an address is an object that names its service, and goes with it", async ({ api, path, namespace }) => {
    const services = await path("services");
    const one = await api.post(services, aService("one")).expect(201);
    const address = `/apis/networking.k8s.io/v1/ipaddresses/${one.spec.clusterIP}`;
    await eventually("the address is there", async () => (await api.get(address)).status === 200);
    await api.get(address).expect(200, {
      metadata: {
        labels: {
          "ipaddress.kubernetes.io/ip-family": "IPv4",
          "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        },
      },
      spec: { parentRef: { resource: "services", namespace: await namespace(), name: "one" } },
    });
    await api.delete(`${services}/one`).expect(200);
    await eventually("the address is gone", async () => (await api.get(address)).status === 404);
  });

  conformance("endpoints answer with the advice to read slices", async ({ api, path }) => {
    const reply = await api.get(await path("endpoints"));
    expect(reply.status).toBe(200);
    expect(String(reply.headers.warning)).toBe(
      '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"',
    );
  });

  conformance("an address in use is refused, and free again after its service", async ({ api, path }) => {
    const services = await path("services");
    const one = await api.post(services, aService("one")).expect(201);
    const ip: string = one.spec.clusterIP;
    const status = await api.post(services, aService("two", { clusterIP: ip })).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.clusterIPs",
        message: `Invalid value: ["${ip}"]: failed to allocate IP ${ip}: provided IP is already allocated`,
      },
    ]);
    await api.delete(`${services}/one`).expect(200);
    await api.post(services, aService("two", { clusterIP: ip })).expect(201, { spec: { clusterIP: ip } });
  });

  conformance("an address out of the range, or none at all", async ({ api, path }) => {
    const services = await path("services");
    const outside = await api.post(services, aService("one", { clusterIP: "192.0.2.1" })).refuse(422, "Invalid");
    expect(outside.message).toContain(
      "failed to allocate IP 192.0.2.1: the provided network does not match the current range",
    );
    const wrong = await api.post(services, aService("one", { clusterIP: "10.96" })).refuse(422, "Invalid");
    expect(wrong.details.causes[0].field).toBe("spec.clusterIPs[0]");
  });

  conformance("a headless service has the word None for an address", async ({ api, path }) => {
    const services = await path("services");
    await api
      .post(services, aService("one", { clusterIP: "None" }))
      .expect(201, { spec: { clusterIP: "None", clusterIPs: ["None"], ipFamilies: ["IPv4"] } });
    await api
      .post(services, aService("two", { clusterIP: "None", ports: undefined }))
      .expect(201, { spec: { clusterIP: "None" } });
  });

  conformance("an address does not change, and is kept where an update leaves it out", async ({ api, path }) => {
    const services = await path("services");
    const made = await api.post(services, aService("one")).expect(201);
    const { clusterIP, clusterIPs, ...spec } = made.spec;
    await api.put(`${services}/one`, { ...made, spec }).expect(200, { spec: { clusterIP, clusterIPs } });
    const status = await api
      .patch(`${services}/one`, "merge", { spec: { clusterIP: "10.0.0.250" } })
      .refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "spec.clusterIPs[0]", reason: "FieldValueInvalid" });
    expect(status.message).toContain("may not change once set");
  });

  conformance("a service needs ports, with names where there are several", async ({ api, path }) => {
    const services = await path("services");
    const none = await api.post(services, aService("one", { ports: [] })).refuse(422, "Invalid");
    expect(none.details.causes).toMatchObject([{ field: "spec.ports", message: "Required value" }]);
    const ports = [{ port: 80 }, { name: "b", port: 81 }];
    const unnamed = await api.post(services, aService("one", { ports })).refuse(422, "Invalid");
    expect(unnamed.details.causes).toMatchObject([{ field: "spec.ports[0].name", reason: "FieldValueRequired" }]);
  });

  conformance("one port twice, and a name twice", async ({ api, path }) => {
    const services = await path("services");
    const same = [
      { name: "a", port: 80 },
      { name: "b", port: 80 },
    ];
    const status = await api.post(services, aService("one", { ports: same })).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "spec.ports[1]", reason: "FieldValueDuplicate" }]);
    const names = [
      { name: "a", port: 80 },
      { name: "a", port: 81 },
    ];
    await api.post(services, aService("one", { ports: names })).refuse(422, "Invalid");
    const protocols = [
      { name: "a", port: 53, protocol: "UDP" },
      { name: "b", port: 53, protocol: "TCP" },
    ];
    await api.post(services, aService("one", { ports: protocols })).expect(201);
  });

  conformance("a node port is chosen in its range, and a taken one refused", async ({ api, path }) => {
    const services = await path("services");
    const one = await api.post(services, aService("one", { type: "NodePort" })).expect(201, {
      spec: { externalTrafficPolicy: "Cluster" },
    });
    const { nodePort } = one.spec.ports[0];
    expect(nodePort).toBeGreaterThanOrEqual(30000);
    expect(nodePort).toBeLessThanOrEqual(32767);
    const again = { type: "NodePort", ports: [{ port: 80, nodePort }] };
    const taken = await api.post(services, aService("two", again)).refuse(422, "Invalid");
    expect(taken.details.causes).toMatchObject([
      {
        field: "spec.ports[0].nodePort",
        message: `Invalid value: ${nodePort}: provided port is already allocated`,
      },
    ]);
    const low = { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] };
    const out = await api.post(services, aService("two", low)).refuse(422, "Invalid");
    expect(out.details.causes[0].message).toBe(
      "Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
    );
  });

  conformance("a node port is none of a cluster IP service's", async ({ api, path }) => {
    const status = await api
      .post(await path("services"), aService("one", { ports: [{ port: 80, nodePort: 30100 }] }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.ports[0].nodePort",
        message: "Forbidden: may not be used when `type` is 'ClusterIP'",
      },
    ]);
  });

  conformance("from NodePort to ClusterIP, the port goes; to ExternalName, the address goes", async ({ api, path }) => {
    const services = await path("services");
    await api.post(services, aService("one", { type: "NodePort" })).expect(201);
    const plain = await api.patch(`${services}/one`, "merge", { spec: { type: "ClusterIP" } }).expect(200);
    expect(plain.spec.ports[0].nodePort).toBeUndefined();
    expect(plain.spec.externalTrafficPolicy).toBeUndefined();
    const named = await api
      .patch(`${services}/one`, "merge", { spec: { type: "ExternalName", externalName: "example.com" } })
      .expect(200);
    expect(named.spec.clusterIP).toBeUndefined();
    expect(named.spec.ipFamilies).toBeUndefined();
    const back = await api
      .patch(`${services}/one`, "merge", { spec: { type: "ClusterIP", externalName: null } })
      .expect(200);
    expect(back.spec.clusterIP).toMatch(/^10\./);
  });

  conformance("a load balancer gets a node port, unless it wants none", async ({ api, path }) => {
    const services = await path("services");
    const one = await api.post(services, aService("one", { type: "LoadBalancer" })).expect(201, {
      spec: { allocateLoadBalancerNodePorts: true, externalTrafficPolicy: "Cluster" },
    });
    expect(one.spec.ports[0].nodePort).toBeGreaterThanOrEqual(30000);
    const two = await api
      .post(services, aService("two", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false }))
      .expect(201);
    expect(two.spec.ports[0].nodePort).toBeUndefined();
    const local = await api
      .post(services, aService("three", { type: "LoadBalancer", externalTrafficPolicy: "Local" }))
      .expect(201);
    expect(local.spec.healthCheckNodePort).toBeGreaterThanOrEqual(30000);
  });

  conformance("an external name needs a name and has no addresses", async ({ api, path }) => {
    const services = await path("services");
    const bare = await api
      .post(services, aService("one", { type: "ExternalName", ports: undefined }))
      .refuse(422, "Invalid");
    expect(bare.details.causes).toMatchObject([{ field: "spec.externalName", reason: "FieldValueRequired" }]);
    const made = await api
      .post(services, aService("one", { type: "ExternalName", externalName: "example.com", ports: undefined }))
      .expect(201);
    expect(made.spec.clusterIP).toBeUndefined();
    expect(made.spec.internalTrafficPolicy).toBeUndefined();
  });

  conformance("clients kept by their address are kept three hours", async ({ api, path }) => {
    await api
      .post(await path("services"), aService("one", { sessionAffinity: "ClientIP" }))
      .expect(201, { spec: { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } } });
  });

  conformance("two families cannot be had here", async ({ api, path }) => {
    const services = await path("services");
    const status = await api
      .post(services, aService("one", { ipFamilyPolicy: "RequireDualStack" }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.ipFamilyPolicy",
        message: 'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      },
    ]);
    await api
      .post(services, aService("two", { ipFamilyPolicy: "PreferDualStack" }))
      .expect(201, { spec: { ipFamilies: ["IPv4"], ipFamilyPolicy: "PreferDualStack" } });
  });

  conformance("a headless service without a selector speaks of both families", async ({ api, path }) => {
    await api
      .post(await path("services"), aService("one", { clusterIP: "None", selector: undefined }))
      .expect(201, { spec: { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" } });
  });

  conformance("an unknown type, policy or affinity", async ({ api, path }) => {
    const services = await path("services");
    for (const [field, value] of [
      ["type", "Magic"],
      ["sessionAffinity", "Cookie"],
      ["internalTrafficPolicy", "Near"],
    ] as const) {
      const status = await api.post(services, aService("one", { [field]: value })).refuse(422, "Invalid");
      expect(status.details.causes).toContainEqual(
        expect.objectContaining({ field: `spec.${field}`, reason: "FieldValueNotSupported" }),
      );
    }
  });

  conformance("services are found by type and address", async ({ api, path }) => {
    const services = await path("services");
    const one = await api.post(services, aService("one")).expect(201);
    await api.post(services, aService("two", { type: "NodePort" })).expect(201);
    const found = await api.get(`${services}?fieldSelector=spec.clusterIP%3D${one.spec.clusterIP}`).expect(200);
    expect(found.items).toHaveLength(1);
    const nodePorts = await api.get(`${services}?fieldSelector=spec.type%3DNodePort`).expect(200);
    expect(nodePorts.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(["two"]);
  });
});
