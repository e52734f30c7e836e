/** Pod templates of workloads: the spec, the labels, and what their controllers ask of them. Pure. */
import { asArray, asObject, isObject, type JsonObject } from "../json-value.ts";
import { validateAnnotations, validateLabels } from "../registry/validate-metadata.ts";
import { cause } from "../status.ts";
import type { Findings } from "./findings.ts";
import { isEmptySelector, selectorMatches } from "./label-selectors.ts";
import { validatePodSpec } from "./pod-spec.ts";

type Labels = Readonly<Record<string, string>>;

export const templateLabels = (template: unknown): Labels =>
  asObject(asObject(asObject(template).metadata).labels) as Labels;

export function checkPodTemplate(template: JsonObject, path: string, found: Findings): void {
  const spec = asObject(template.spec);
  found.add(...validateLabels(templateLabels(template), `${path}.labels`));
  const annotations = asObject(asObject(template.metadata).annotations) as Labels;
  found.add(...validateAnnotations(annotations, `${path}.annotations`));
  found.add(...validatePodSpec(spec, { path: `${path}.spec`, isPod: false }));
  if (asArray(spec.ephemeralContainers).length > 0)
    found.forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template");
}

export function checkSelectsTemplate(selector: unknown, template: unknown, path: string, found: Findings): void {
  const labels = templateLabels(template);
  if (!isObject(selector) || isEmptySelector(selector) || selectorMatches(selector, labels)) return;
  found.invalid(`${path}.metadata.labels`, labels, "`selector` does not match template `labels`");
}

/** Pods of these workloads run until they are told to end. */
export function checkRunsForever(template: JsonObject, path: string, owner: string, found: Findings): void {
  const spec = asObject(template.spec);
  if (spec.restartPolicy !== "Always")
    found.add(cause.unsupported(`${path}.spec.restartPolicy`, spec.restartPolicy, ["Always"]));
  if (spec.activeDeadlineSeconds !== undefined)
    found.forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${owner} is not Supported`);
}
