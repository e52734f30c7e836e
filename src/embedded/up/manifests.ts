/** Reads the project's own YAML (crds/, manifests/base/) and applies it, in order. */
import { readdir, readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { type Clock, systemClock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import { packageRoot } from "../../base/package-root.ts";
import { createClient } from "../../kube/client.ts";
import { customResourceDefinitions } from "../../kube/core-resources.ts";
import type { KubeObject } from "../../kube/object.ts";
import { defineResource, type ResourceType } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";

/** Plural and scope of the kinds that these files hold. */
const kinds: Readonly<Record<string, { readonly plural: string; readonly namespaced: boolean }>> = {
  Namespace: { plural: "namespaces", namespaced: false },
  CustomResourceDefinition: { plural: "customresourcedefinitions", namespaced: false },
  ServiceAccount: { plural: "serviceaccounts", namespaced: true },
  ClusterRole: { plural: "clusterroles", namespaced: false },
  ClusterRoleBinding: { plural: "clusterrolebindings", namespaced: false },
  Role: { plural: "roles", namespaced: true },
  RoleBinding: { plural: "rolebindings", namespaced: true },
};

/** All objects of the YAML files of one folder, files in the order of their names. */
export async function readManifests(folder: "crds" | "manifests/base" | "manifests/launcher"): Promise<KubeObject[]> {
  const url = new URL(`${folder}/`, packageRoot);
  const files = (await readdir(url)).filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml").sort();
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, url), "utf8")));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as KubeObject));
}

function resourceOf(object: KubeObject): ResourceType {
  const kind = kinds[object.kind];
  if (kind) return defineResource({ apiVersion: object.apiVersion, kind: object.kind, ...kind });
  throw new InferiumError("UnknownKind", `A manifest holds a ${object.kind}, which is not known here.`);
}

export async function applyObjects(transport: Transport, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) await createClient(transport, resourceOf(object)).apply(object);
}

const establishTimeoutMs = 30_000;

/** Resolves when the API server serves all these definitions. @throws InferiumError KindsNotServed */
export async function waitForKinds(
  transport: Transport,
  kinds: readonly KubeObject[],
  clock: Clock = systemClock,
): Promise<void> {
  const client = createClient(transport, customResourceDefinitions);
  const deadline = clock.monotonic() + establishTimeoutMs;
  for (const { metadata } of kinds) {
    for (;;) {
      const crd = await client.get({ name: metadata.name });
      const established = crd.status?.conditions?.find((condition) => condition.type === "Established");
      if (established?.status === "True") break;
      if (clock.monotonic() > deadline) {
        const message = `${metadata.name} is not served after ${establishTimeoutMs / 1000} s: ${JSON.stringify(crd.status?.conditions ?? [])}`;
        throw new InferiumError("KindsNotServed", message);
      }
      await clock.sleep(100);
    }
  }
}
