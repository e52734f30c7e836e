/** The kind of custom resource definitions themselves. What a definition brings to life is `controllers/definitions.ts`. */
import { validateDefinition } from "../admission/crd-validation.ts";
import { asArray, asObject, asString, isObject } from "../json-value.ts";
import { formatTime, type KubeObject, specOf, statusOf } from "../object.ts";
import { createdAtColumns } from "../printing/builtin-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";

const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

export const crdStorage = "customresourcedefinitions.apiextensions.k8s.io";

export function crdKind(): ResourceKind {
  return declareBuiltin({
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    namespaced: false,
    shortNames: ["crd", "crds"],
    categories: ["api-extensions"],
    hasStatus: true,
    hasGeneration: true,
    columns: createdAtColumns,
    strategy: {
      applyDefaults: defaultDefinition,
      prepareCreate: (definition, context) => {
        definition.metadata.finalizers = [...(definition.metadata.finalizers ?? []), cleanupFinalizer];
        definition.status = {
          ...establishedStatus(definition, formatTime(context.nowMs)),
          storedVersions: storageVersions(definition),
        };
      },
      prepareUpdate: (definition) => {
        const before = statusOf(definition);
        const stored = new Set([...asArray(before.storedVersions).map(asString), ...storageVersions(definition)]);
        definition.status = { ...before, acceptedNames: specOf(definition).names, storedVersions: [...stored] };
      },
      validate: validateDefinition,
      requiresVersion: true,
    },
  });
}

function defaultDefinition(definition: KubeObject): void {
  const spec = specOf(definition);
  if (!isObject(spec.names)) return;
  const kind = asString(spec.names.kind);
  spec.names.singular ??= kind.toLowerCase();
  spec.names.listKind ??= `${kind}List`;
  spec.conversion ??= { strategy: "None" };
  for (const item of asArray(spec.versions)) {
    const version = asObject(item);
    version.served ??= false;
    version.storage ??= false;
  }
}

function storageVersions(definition: KubeObject): string[] {
  const versions = asArray(specOf(definition).versions).map(asObject);
  return versions.filter((version) => version.storage === true).map((version) => asString(version.name));
}

/** Definitions are served in the same turn in which they are stored, so they are established from the start. */
function establishedStatus(definition: KubeObject, time: string): object {
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: "True",
    lastTransitionTime: time,
    reason,
    message,
  });
  return {
    acceptedNames: specOf(definition).names,
    conditions: [
      condition("NamesAccepted", "NoConflicts", "no conflicts found"),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ],
  };
}
