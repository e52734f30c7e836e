/** Pods: what the server fills in, to the last field. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aContainer, aPod } from "./support/manifests.ts";

area("pods: defaulting", (conformance) => {
  conformance("a bare pod gets its policies, its account, its scheduler and a status", async ({ api, path }) => {
    const pod = await api.post(await path("pods"), aPod("one")).expect(201, {
      metadata: { generation: 1 },
      spec: {
        restartPolicy: "Always",
        terminationGracePeriodSeconds: 30,
        dnsPolicy: "ClusterFirst",
        serviceAccountName: "default",
        serviceAccount: "default",
        securityContext: {},
        schedulerName: "default-scheduler",
        enableServiceLinks: true,
        priority: 0,
        preemptionPolicy: "PreemptLowerPriority",
      },
      status: { phase: "Pending", qosClass: "BestEffort" },
    });
    expect(pod.spec.nodeName).toBeUndefined();
    expect(pod.spec.containers[0]).toMatchObject({
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      resources: {},
    });
  });

  conformance("the pull policy follows the tag: latest, given or meant, is pulled always", async ({ api, path }) => {
    const images = {
      a: ["registry.example.com:5000/app", "Always"],
      b: ["app:latest", "Always"],
      c: ["app:1.2", "IfNotPresent"],
      d: [`app@sha256:${"0".repeat(64)}`, "IfNotPresent"],
      e: [`app:latest@sha256:${"0".repeat(64)}`, "Always"],
    };
    const containers = Object.entries(images).map(([name, [image]]) => ({ name, image }));
    const pod = await api.post(await path("pods"), aPod("one", { containers })).expect(201);
    expect(pod.spec.containers.map((one: { imagePullPolicy: string }) => one.imagePullPolicy)).toEqual(
      Object.values(images).map(([, policy]) => policy),
    );
  });

  conformance("probes get their periods and thresholds, HTTP ones a path and a scheme", async ({ api, path }) => {
    const container = aContainer({
      livenessProbe: { httpGet: { port: 80 } },
      readinessProbe: { tcpSocket: { port: "web" }, periodSeconds: 3 },
      startupProbe: { grpc: { port: 9000 } },
    });
    const pod = await api.post(await path("pods"), aPod("one", { containers: [container] })).expect(201);
    const times = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
    expect(pod.spec.containers[0].livenessProbe).toEqual({
      httpGet: { port: 80, path: "/", scheme: "HTTP" },
      ...times,
    });
    expect(pod.spec.containers[0].readinessProbe).toEqual({ tcpSocket: { port: "web" }, ...times, periodSeconds: 3 });
    expect(pod.spec.containers[0].startupProbe).toEqual({ grpc: { port: 9000, service: "" }, ...times });
  });

  conformance("a limit without a request is also the request", async ({ api, path }) => {
    const resources = { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } };
    const pod = await api
      .post(await path("pods"), aPod("one", { containers: [aContainer({ resources })] }))
      .expect(201, { status: { qosClass: "Burstable" } });
    expect(pod.spec.containers[0].resources.requests).toEqual({ cpu: "500m", memory: "1Gi" });
  });

  conformance("quantities come back in their canonical form", async ({ api, path }) => {
    const requests = { cpu: "0.5", memory: "2048Mi", "ephemeral-storage": 1500, "example.com/gpu": "1" };
    const limits = { memory: "3072Mi", "example.com/gpu": 1 };
    const pod = await api
      .post(await path("pods"), aPod("one", { containers: [aContainer({ resources: { requests, limits } })] }))
      .expect(201);
    expect(pod.spec.containers[0].resources).toEqual({
      requests: { cpu: "500m", memory: "2Gi", "ephemeral-storage": "1500", "example.com/gpu": "1" },
      limits: { memory: "3Gi", "example.com/gpu": "1" },
    });
  });

  conformance("a pod whose limits are its requests is Guaranteed", async ({ api, path }) => {
    const resources = { limits: { cpu: "1", memory: "1Gi" } };
    await api
      .post(await path("pods"), aPod("one", { containers: [aContainer({ resources })] }))
      .expect(201, { status: { qosClass: "Guaranteed" } });
  });

  conformance("volumes get their modes, an empty one becomes an emptyDir", async ({ api, path }) => {
    const volumes = [
      { name: "none" },
      { name: "map", configMap: { name: "m" } },
      { name: "secret", secret: { secretName: "s" } },
      { name: "host", hostPath: { path: "/tmp" } },
      {
        name: "all",
        projected: {
          sources: [
            { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
            { serviceAccountToken: { path: "token" } },
          ],
        },
      },
    ];
    const pod = await api.post(await path("pods"), aPod("one", { volumes })).expect(201);
    expect(pod.spec.volumes.slice(0, 5)).toEqual([
      { name: "none", emptyDir: {} },
      { name: "map", configMap: { name: "m", defaultMode: 420 } },
      { name: "secret", secret: { secretName: "s", defaultMode: 420 } },
      { name: "host", hostPath: { path: "/tmp", type: "" } },
      {
        name: "all",
        projected: {
          defaultMode: 420,
          sources: [
            {
              downwardAPI: { items: [{ path: "name", fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } }] },
            },
            { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
          ],
        },
      },
    ]);
  });

  conformance("variables that show fields name the version of the field", async ({ api, path }) => {
    const env = [
      { name: "A", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "B", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
    ];
    const pod = await api.post(await path("pods"), aPod("one", { containers: [aContainer({ env })] })).expect(201);
    expect(pod.spec.containers[0].env).toEqual([
      { name: "A", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.podIP" } } },
      { name: "B", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } } },
    ]);
  });

  conformance("with the host's network, container ports are host ports", async ({ api, path }) => {
    const containers = [aContainer({ ports: [{ containerPort: 8080 }] })];
    const pod = await api.post(await path("pods"), aPod("one", { containers, hostNetwork: true })).expect(201);
    expect(pod.spec.containers[0].ports).toEqual([{ containerPort: 8080, hostPort: 8080, protocol: "TCP" }]);
  });

  conformance("pods bear a node's absence for five minutes", async ({ api, path }) => {
    const pod = await api.post(await path("pods"), aPod("one")).expect(201);
    const bears = (key: string) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 });
    expect(pod.spec.tolerations).toEqual([
      bears("node.kubernetes.io/not-ready"),
      bears("node.kubernetes.io/unreachable"),
    ]);
  });

  conformance("a gated pod says so in its conditions", async ({ api, path }) => {
    const pod = await api
      .post(await path("pods"), aPod("one", { schedulingGates: [{ name: "example.com/wait" }] }))
      .expect(201);
    expect(pod.status.conditions).toMatchObject([{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }]);
  });

  conformance("lifecycle hooks over HTTP get a path and a scheme", async ({ api, path }) => {
    const lifecycle = { preStop: { httpGet: { port: 80 } }, postStart: { exec: { command: ["true"] } } };
    const pod = await api
      .post(await path("pods"), aPod("one", { containers: [aContainer({ lifecycle })] }))
      .expect(201);
    expect(pod.spec.containers[0].lifecycle).toEqual({
      preStop: { httpGet: { port: 80, path: "/", scheme: "HTTP" } },
      postStart: { exec: { command: ["true"] } },
    });
  });
});
