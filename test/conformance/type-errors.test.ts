/** Bodies whose fields have the wrong type: the message names type and field as the Go decoder does. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

interface Wrong {
  readonly plural: string;
  readonly groupVersion?: string;
  readonly kind: string;
  readonly fields: object;
  readonly says: string;
}

const container = { name: "a", image: "b" };
const podSpec = (fields: object) => ({ spec: { containers: [container], ...fields } });

const wrong: readonly Wrong[] = [
  {
    plural: "configmaps",
    kind: "ConfigMap",
    fields: { data: { a: 1 } },
    says: "number into Go struct field ConfigMap.data of type string",
  },
  {
    plural: "configmaps",
    kind: "ConfigMap",
    fields: { data: "a" },
    says: "string into Go struct field ConfigMap.data of type map[string]string",
  },
  {
    plural: "configmaps",
    kind: "ConfigMap",
    fields: { immutable: "yes" },
    says: "string into Go struct field ConfigMap.immutable of type bool",
  },
  {
    plural: "pods",
    kind: "Pod",
    fields: { spec: { containers: "a" } },
    says: "string into Go struct field PodSpec.spec.containers of type []v1.Container",
  },
  {
    plural: "pods",
    kind: "Pod",
    fields: { spec: { containers: [{ name: 1 }] } },
    says: "number into Go struct field Container.spec.containers.name of type string",
  },
  {
    plural: "pods",
    kind: "Pod",
    fields: podSpec({ hostNetwork: 1 }),
    says: "number into Go struct field PodSpec.spec.hostNetwork of type bool",
  },
  {
    plural: "pods",
    kind: "Pod",
    fields: podSpec({ nodeSelector: { a: true } }),
    says: "bool into Go struct field PodSpec.spec.nodeSelector of type string",
  },
  {
    plural: "pods",
    kind: "Pod",
    fields: podSpec({ securityContext: [] }),
    says: "array into Go struct field PodSpec.spec.securityContext of type v1.PodSecurityContext",
  },
  {
    plural: "pods",
    kind: "Pod",
    fields: podSpec({ terminationGracePeriodSeconds: 1.5 }),
    says: "number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
  },
  {
    plural: "deployments",
    groupVersion: "apps/v1",
    kind: "Deployment",
    fields: { spec: { replicas: "x" } },
    says: "string into Go struct field DeploymentSpec.spec.replicas of type int32",
  },
];

const unreadable: readonly { readonly field: "apiVersion" | "kind"; readonly value: unknown; readonly got: string }[] =
  [
    { field: "apiVersion", value: { toString: 1 }, got: "object" },
    { field: "apiVersion", value: 1, got: "number" },
    { field: "kind", value: [], got: "array" },
    { field: "kind", value: true, got: "bool" },
  ];

area("type errors", (conformance) => {
  for (const { field, value, got } of unreadable) {
    conformance(`the object's ${field} is ${got}`, async ({ api, path }) => {
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" }, [field]: value };
      const status = await api.post(await path("configmaps"), body).refuse(400, "BadRequest");
      expect(status.message).toContain(
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${got} into Go `,
      );
      expect(status.message).toContain(`field .${field} of type string`);
    });
  }
  for (const { plural, groupVersion, kind, fields, says } of wrong) {
    conformance(says, async ({ api, path }) => {
      const apiVersion = groupVersion ?? "v1";
      const body = { apiVersion, kind, metadata: { name: "one" }, ...fields };
      const status = await api.post(await path(plural, groupVersion), body).refuse(400, "BadRequest");
      const version = apiVersion.split("/").at(-1);
      expect(status.message).toBe(
        `${kind} in version "${version}" cannot be handled as a ${kind}: json: cannot unmarshal ${says}`,
      );
    });
  }
});
