/** The kind of custom resource definitions themselves. What a definition brings to life is `controllers/definitions.ts`. */
import { validateDefinition } from "../admission/crd-validation.ts";
import { asArray, asObject, asString, isObject } from "../json-value.ts";
import { formatTime, type KubeObject, specOf, statusOf } from "../object.ts";
import { createdAtColumns } from "../printing/builtin-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import { decideNames, withCondition } from "./definition-names.ts";
import type { ResourceKind, StrategyContext } from "./kind.ts";

export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

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
        definition.status = { storedVersions: storageVersions(definition) };
        setNames(definition, context);
      },
      prepareUpdate: (definition, _old, context) => {
        const before = statusOf(definition);
        const stored = new Set([...asArray(before.storedVersions).map(asString), ...storageVersions(definition)]);
        definition.status = { ...before, storedVersions: [...stored] };
        setNames(definition, context);
      },
      validate: validateDefinition,
      beginDeletion,
      requiresVersion: true,
    },
  });
}

/** Mutates the marked definition: its objects are to go first. */
function beginDeletion(definition: KubeObject): void {
  const { finalizers = [], deletionTimestamp = "" } = definition.metadata;
  if (finalizers.includes(cleanupFinalizer)) return;
  definition.metadata.finalizers = [...finalizers, cleanupFinalizer];
  const conditions = asArray(statusOf(definition).conditions).map(asObject);
  const status = { ...statusOf(definition), conditions: withCondition(conditions, terminating, deletionTimestamp) };
  definition.status = status;
}

const terminating = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionPending",
  message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
};

function setNames(definition: KubeObject, context: StrategyContext): void {
  const all = context.store.list(crdStorage).items.map((item) => item.object);
  const others = all.filter((other) => other.metadata.name !== definition.metadata.name);
  const decision = decideNames(definition, others, formatTime(context.nowMs));
  definition.status = { ...statusOf(definition), ...decision };
}

function defaultDefinition(definition: KubeObject): void {
  const spec = specOf(definition);
  if (!isObject(spec.names)) return;
  const kind = asString(spec.names.kind);
  // Empty strings count as absent, as in the server's own types.
  if (asString(spec.names.singular) === "") spec.names.singular = kind.toLowerCase();
  if (asString(spec.names.listKind) === "" && kind !== "") spec.names.listKind = `${kind}List`;
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
