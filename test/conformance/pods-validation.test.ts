/** Pods: what is refused, with the field and the words of it. */
import { expect } from "vitest";
import { area, type CaseTools } from "./support/conformance-case.ts";
import { aContainer, aPod } from "./support/manifests.ts";

/** Creates a pod with this spec, which must be refused with a cause of this shape. */
async function refused({ api, path }: CaseTools, spec: object, cause: object): Promise<void> {
  const status = await api
    .post(await path("pods"), aPod("one", spec as Record<string, unknown>))
    .refuse(422, "Invalid");
  expect(status.details).toMatchObject({ name: "one", kind: "Pod" });
  expect(status.details.causes).toEqual(expect.arrayContaining([expect.objectContaining(cause)]));
}

const withContainer = (fields: Record<string, unknown>) => ({ containers: [aContainer(fields)] });

area("pods: validation", (conformance) => {
  conformance("a pod without containers", (tools) =>
    refused(
      tools,
      { containers: [] },
      { field: "spec.containers", reason: "FieldValueRequired", message: "Required value" },
    ),
  );

  conformance("two containers of one name", (tools) =>
    refused(
      tools,
      { containers: [aContainer(), aContainer()] },
      { field: "spec.containers[1].name", reason: "FieldValueDuplicate", message: 'Duplicate value: "main"' },
    ),
  );

  conformance("an init container named as a container", (tools) =>
    refused(
      tools,
      { initContainers: [aContainer()] },
      { field: "spec.initContainers[0].name", reason: "FieldValueDuplicate" },
    ),
  );

  conformance("a container name that is no DNS label", (tools) =>
    refused(tools, withContainer({ name: "Main" }), { field: "spec.containers[0].name", reason: "FieldValueInvalid" }),
  );

  conformance("a container without an image", (tools) =>
    refused(
      tools,
      { containers: [{ name: "main" }] },
      { field: "spec.containers[0].image", reason: "FieldValueRequired" },
    ),
  );

  conformance("an image with a space at its end", (tools) =>
    refused(tools, withContainer({ image: "app:1 " }), {
      field: "spec.containers[0].image",
      message: 'Invalid value: "app:1 ": must not have leading or trailing whitespace',
    }),
  );

  conformance("an unknown restart policy", (tools) =>
    refused(
      tools,
      { restartPolicy: "Sometimes" },
      {
        field: "spec.restartPolicy",
        reason: "FieldValueNotSupported",
        message: 'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      },
    ),
  );

  conformance("an unknown pull policy", (tools) =>
    refused(tools, withContainer({ imagePullPolicy: "Maybe" }), {
      field: "spec.containers[0].imagePullPolicy",
      reason: "FieldValueNotSupported",
    }),
  );

  conformance("a port out of range", (tools) =>
    refused(tools, withContainer({ ports: [{ containerPort: 70000 }] }), {
      field: "spec.containers[0].ports[0].containerPort",
      message: "Invalid value: 70000: must be between 1 and 65535, inclusive",
    }),
  );

  conformance("two ports of one name", (tools) =>
    refused(
      tools,
      withContainer({
        ports: [
          { name: "web", containerPort: 80 },
          { name: "web", containerPort: 81 },
        ],
      }),
      { field: "spec.containers[0].ports[1].name", reason: "FieldValueDuplicate" },
    ),
  );

  conformance("one host port twice", (tools) =>
    refused(
      tools,
      {
        containers: [
          aContainer({ ports: [{ containerPort: 80, hostPort: 8080 }] }),
          aContainer({ name: "other", ports: [{ containerPort: 81, hostPort: 8080 }] }),
        ],
      },
      { field: "spec.containers[1].ports[0].hostPort", message: 'Duplicate value: "TCP//8080"' },
    ),
  );

  conformance("a mount of a volume that is not there", (tools) =>
    refused(tools, withContainer({ volumeMounts: [{ name: "data", mountPath: "/data" }] }), {
      field: "spec.containers[0].volumeMounts[0].name",
      reason: "FieldValueNotFound",
      message: 'Not found: "data"',
    }),
  );

  conformance("two mounts on one path", (tools) =>
    refused(
      tools,
      {
        volumes: [{ name: "a", emptyDir: {} }],
        ...withContainer({
          volumeMounts: [
            { name: "a", mountPath: "/data" },
            { name: "a", mountPath: "/data" },
          ],
        }),
      },
      { field: "spec.containers[0].volumeMounts[1].mountPath", message: 'Invalid value: "/data": must be unique' },
    ),
  );

  conformance("a volume of two types", (tools) =>
    refused(
      tools,
      { volumes: [{ name: "a", emptyDir: {}, hostPath: { path: "/tmp" } }] },
      { reason: "FieldValueForbidden", message: "Forbidden: may not specify more than 1 volume type" },
    ),
  );

  conformance("two volumes of one name", (tools) =>
    refused(
      tools,
      {
        volumes: [
          { name: "a", emptyDir: {} },
          { name: "a", emptyDir: {} },
        ],
      },
      { field: "spec.volumes[1].name", reason: "FieldValueDuplicate" },
    ),
  );

  conformance("a file of a config map outside of its folder", (tools) =>
    refused(
      tools,
      { volumes: [{ name: "a", configMap: { name: "m", items: [{ key: "k", path: "../k" }] } }] },
      { field: "spec.volumes[0].configMap.items[0].path", message: "Invalid value: \"../k\": must not contain '..'" },
    ),
  );

  conformance("a probe without a handler, and with two", async (tools) => {
    await refused(tools, withContainer({ livenessProbe: {} }), {
      field: "spec.containers[0].livenessProbe",
      message: "Required value: must specify a handler type",
    });
    const readinessProbe = { exec: { command: ["true"] }, tcpSocket: { port: 80 } };
    await refused(tools, withContainer({ readinessProbe }), {
      field: "spec.containers[0].readinessProbe.tcpSocket",
      message: "Forbidden: may not specify more than 1 handler type",
    });
  });

  conformance("a liveness probe that must succeed twice", (tools) =>
    refused(tools, withContainer({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }), {
      field: "spec.containers[0].livenessProbe.successThreshold",
      message: "Invalid value: 2: must be 1",
    }),
  );

  conformance("a probe of an init container that is no sidecar", (tools) =>
    refused(
      tools,
      { initContainers: [aContainer({ name: "init", livenessProbe: { tcpSocket: { port: 80 } } })] },
      {
        field: "spec.initContainers[0].livenessProbe",
        message: "Forbidden: may not be set for init containers without restartPolicy=Always",
      },
    ),
  );

  conformance("a sidecar may have probes", async ({ api, path }) => {
    const sidecar = aContainer({ name: "side", restartPolicy: "Always", startupProbe: { tcpSocket: { port: 80 } } });
    await api.post(await path("pods"), aPod("one", { initContainers: [sidecar] })).expect(201);
  });

  conformance("a request above its limit", (tools) =>
    refused(tools, withContainer({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }), {
      field: "spec.containers[0].resources.requests",
      message: 'Invalid value: "2": must be less than or equal to cpu limit of 1',
    }),
  );

  conformance("an extended resource in fractions, or without a limit", async (tools) => {
    await refused(tools, withContainer({ resources: { limits: { "example.com/gpu": "500m" } } }), {
      field: "spec.containers[0].resources.limits[example.com/gpu]",
      message: 'Invalid value: "500m": must be an integer',
    });
    await refused(tools, withContainer({ resources: { requests: { "example.com/gpu": "1" } } }), {
      field: "spec.containers[0].resources.limits",
      message: "Required value: Limit must be set for non overcommitable resources",
    });
  });

  conformance("an unknown resource", (tools) =>
    refused(tools, withContainer({ resources: { limits: { gpus: "1" } } }), {
      field: "spec.containers[0].resources.limits[gpus]",
      message: 'Invalid value: "gpus": must be a standard resource for containers',
    }),
  );

  conformance("a variable with a value and a source, and a source of nothing", async (tools) => {
    const valueFrom = { fieldRef: { fieldPath: "metadata.name" } };
    await refused(tools, withContainer({ env: [{ name: "A", value: "1", valueFrom }] }), {
      field: "spec.containers[0].env[0].valueFrom",
      message: 'Invalid value: "": may not be specified when `value` is not empty',
    });
    await refused(tools, withContainer({ env: [{ name: "A=B", value: "1" }] }), {
      field: "spec.containers[0].env[0].name",
      reason: "FieldValueInvalid",
    });
  });

  conformance("a field that no variable may show", (tools) =>
    refused(tools, withContainer({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } }] }), {
      field: "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath",
      reason: "FieldValueNotSupported",
    }),
  );

  conformance("a toleration without a key that is not for all", (tools) =>
    refused(
      tools,
      { tolerations: [{ operator: "Equal", value: "a" }] },
      { field: "spec.tolerations[0].operator", reason: "FieldValueInvalid" },
    ),
  );

  conformance("seconds of a toleration that does not bear eviction", (tools) =>
    refused(
      tools,
      { tolerations: [{ key: "a", operator: "Exists", effect: "NoSchedule", tolerationSeconds: 1 }] },
      {
        field: "spec.tolerations[0].effect",
        message: "Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set",
      },
    ),
  );

  conformance("node affinity with an unknown operator, or with no terms", async (tools) => {
    const required = (nodeSelectorTerms: unknown[]) => ({
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    });
    const path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    await refused(tools, required([{ matchExpressions: [{ key: "a", operator: "Like", values: ["b"] }] }]), {
      field: `${path}[0].matchExpressions[0].operator`,
      message: 'Invalid value: "Like": not a valid selector operator',
    });
    await refused(tools, required([]), {
      field: path,
      message: "Required value: must have at least one node selector term",
    });
  });

  conformance("pod affinity without a topology key, preference out of range", async (tools) => {
    await refused(
      tools,
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "" }] } } },
      {
        field: "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
        message: "Required value: can not be empty",
      },
    );
    const term = { weight: 101, podAffinityTerm: { topologyKey: "zone" } };
    await refused(
      tools,
      { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term] } } },
      {
        field: "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight",
        message: "Invalid value: 101: must be in the range 1-100",
      },
    );
  });

  conformance("a spread constraint twice, with no skew, with an unknown answer", async (tools) => {
    const one = { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" };
    await refused(
      tools,
      { topologySpreadConstraints: [one, one] },
      {
        field: "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}",
        message: 'Duplicate value: "{zone, DoNotSchedule}"',
      },
    );
    await refused(
      tools,
      { topologySpreadConstraints: [{ ...one, maxSkew: 0 }] },
      {
        field: "spec.topologySpreadConstraints[0].maxSkew",
        message: "Invalid value: 0: must be greater than zero",
      },
    );
    await refused(
      tools,
      { topologySpreadConstraints: [{ ...one, whenUnsatisfiable: "Wait" }] },
      {
        field: "spec.topologySpreadConstraints[0].whenUnsatisfiable",
        reason: "FieldValueNotSupported",
      },
    );
  });

  conformance("a gated pod on a node, and one gate twice", async (tools) => {
    await refused(
      tools,
      { nodeName: "n", schedulingGates: [{ name: "a" }] },
      { field: "spec.nodeName", message: "Forbidden: cannot be set until all schedulingGates have been cleared" },
    );
    await refused(
      tools,
      { schedulingGates: [{ name: "a" }, { name: "a" }] },
      { field: "spec.schedulingGates[1]", reason: "FieldValueDuplicate" },
    );
  });

  conformance("ephemeral containers at creation", (tools) =>
    refused(
      tools,
      { ephemeralContainers: [aContainer({ name: "debug" })] },
      { field: "spec.ephemeralContainers", message: "Forbidden: cannot be set on create" },
    ),
  );

  conformance("DNS policy None without nameservers", (tools) =>
    refused(
      tools,
      { dnsPolicy: "None" },
      {
        field: "spec.dnsConfig",
        message: "Required value: must provide `dnsConfig` when `dnsPolicy` is None",
      },
    ),
  );

  conformance("a negative user, a privileged container that may not gain privileges", async (tools) => {
    await refused(
      tools,
      { securityContext: { runAsUser: -1 } },
      {
        field: "spec.securityContext.runAsUser",
        message: "Invalid value: -1: must be between 0 and 2147483647, inclusive",
      },
    );
    await refused(tools, withContainer({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }), {
      field: "spec.containers[0].securityContext",
      reason: "FieldValueInvalid",
    });
  });

  conformance("a deadline of nothing", (tools) =>
    refused(
      tools,
      { activeDeadlineSeconds: 0 },
      {
        field: "spec.activeDeadlineSeconds",
        message: "Invalid value: 0: must be between 1 and 2147483647, inclusive",
      },
    ),
  );

  conformance("a sysctl that is no name", (tools) =>
    refused(
      tools,
      { securityContext: { sysctls: [{ name: "Kernel!", value: "1" }] } },
      { field: "spec.securityContext.sysctls[0].name", reason: "FieldValueInvalid" },
    ),
  );

  conformance("several complaints come together, in one message", async ({ api, path }) => {
    const status = await api
      .post(await path("pods"), aPod("one", { containers: [{ name: "A" }], restartPolicy: "x" }))
      .refuse(422, "Invalid");
    expect(status.details.causes.map((one: { field: string }) => one.field)).toEqual([
      "spec.containers[0].name",
      "spec.containers[0].image",
      "spec.restartPolicy",
    ]);
    expect(status.message).toMatch(/^Pod "one" is invalid: \[spec\.containers\[0\]\.name: Invalid value/);
  });
});
