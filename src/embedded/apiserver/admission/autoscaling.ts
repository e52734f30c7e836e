/** The strategy of horizontal pod autoscalers, which are stored as v2, and the face they show as v1. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import type { StatusCause } from "../status.ts";
import { eachItem, Findings } from "../validation/findings.ts";

const cpuUtilization = (percent: unknown): JsonObject => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percent } },
});
const defaultCpuPercent = 80;
const scaleUp = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const scaleDown = { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] };

export const autoscalerStrategy: Strategy = {
  applyDefaults: (autoscaler) => {
    const spec = specOf(autoscaler);
    autoscaler.spec = spec;
    spec.minReplicas ??= 1;
    if (asArray(spec.metrics).length === 0) spec.metrics = [cpuUtilization(defaultCpuPercent)];
    if (isObject(spec.behavior)) {
      const { behavior } = spec;
      behavior.scaleUp = { ...scaleUp, ...asObject(behavior.scaleUp) };
      behavior.scaleDown = { ...scaleDown, ...asObject(behavior.scaleDown) };
    }
    autoscaler.status = { desiredReplicas: 0, currentMetrics: null, ...statusOf(autoscaler) };
    if (asObject(autoscaler.status).currentMetrics === null) delete asObject(autoscaler.status).currentMetrics;
  },
  prepareCreate: (autoscaler) => {
    autoscaler.status = { desiredReplicas: 0 };
  },
  validate: (autoscaler, _old, subresource) => (subresource === "status" ? [] : validateAutoscaler(specOf(autoscaler))),
};

function validateAutoscaler(spec: JsonObject): StatusCause[] {
  const found = new Findings();
  const [min, max] = [Number(spec.minReplicas), Number(spec.maxReplicas ?? 0)];
  if (min < 1) found.invalid("spec.minReplicas", min, "must be greater than or equal to 1");
  if (max === 0) found.required("spec.maxReplicas", "must be set and greater than 0");
  else if (max < 0) found.invalid("spec.maxReplicas", max, "must be greater than or equal to 1");
  if (max < min) found.invalid("spec.maxReplicas", max, "must be greater than or equal to `minReplicas`");
  const target = asObject(spec.scaleTargetRef);
  for (const field of ["kind", "name"])
    if (asString(target[field]) === "") found.required(`spec.scaleTargetRef.${field}`);
  eachItem(spec.metrics, "spec.metrics", (metric, at) => checkMetric(metric, at, found));
  for (const name of ["scaleUp", "scaleDown"]) {
    const rules = asObject(spec.behavior)[name];
    if (isObject(rules)) checkRules(rules, `spec.behavior.${name}`, found);
  }
  return found.list;
}

const sources: Readonly<Record<string, string>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};

function checkMetric(metric: JsonObject, path: string, found: Findings): void {
  const type = asString(metric.type);
  if (type === "") found.required(`${path}.type`, "must specify a metric source type");
  const source = sources[type];
  if (source === undefined) {
    found.optionalOneOf(`${path}.type`, type, Object.keys(sources));
    return;
  }
  if (!isObject(metric[source]))
    found.required(`${path}.${source}`, "must populate information for the given metric source");
  for (const other of Object.values(sources))
    if (other !== source && isObject(metric[other]))
      found.forbidden(`${path}.${other}`, "must populate the given metric source only");
  if (source !== "resource" || !isObject(metric.resource)) return;
  const { name, target } = metric.resource;
  if (asString(name) === "") found.required(`${path}.resource.name`, "must specify a resource name");
  const { averageUtilization, averageValue, value } = asObject(target);
  const at = `${path}.resource.target`;
  if (averageUtilization === undefined && averageValue === undefined)
    found.required(`${at}.averageUtilization`, "must set either a target raw value or a target utilization");
  if (averageUtilization !== undefined && averageValue !== undefined)
    found.forbidden(`${at}.averageValue`, "may not set both a target raw value and a target utilization");
  if (averageUtilization !== undefined && Number(averageUtilization) < 1)
    found.invalid(`${at}.averageUtilization`, averageUtilization, "must be greater than 0");
  if (value !== undefined) found.forbidden(`${at}.value`, "may not set a target value");
}

const longestWindow = 3600;
const longestPeriod = 1800;

function checkRules(rules: JsonObject, path: string, found: Findings): void {
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined && Number(window) < 0)
    found.invalid(`${path}.stabilizationWindowSeconds`, window, "must be greater than or equal to zero");
  if (window !== undefined && Number(window) > longestWindow)
    found.invalid(`${path}.stabilizationWindowSeconds`, window, `must be less than or equal to ${longestWindow}`);
  found.optionalOneOf(`${path}.selectPolicy`, rules.selectPolicy, ["Disabled", "Max", "Min"]);
  if (asArray(rules.policies).length === 0) found.required(`${path}.policies`, "must specify at least one Policy");
  eachItem(rules.policies, `${path}.policies`, (policy, at) => {
    found.optionalOneOf(`${at}.type`, policy.type ?? "", ["Percent", "Pods"]);
    for (const field of ["value", "periodSeconds"]) found.positive(`${at}.${field}`, policy[field]);
    if (Number(policy.periodSeconds) > longestPeriod)
      found.invalid(`${at}.periodSeconds`, policy.periodSeconds, `must be less than or equal to ${longestPeriod}`);
  });
}

const metricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";
const behaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior";

const isCpuUtilization = (metric: unknown) => {
  const { name, target } = asObject(asObject(metric).resource);
  return name === "cpu" && asObject(target).averageUtilization !== undefined;
};

/** v1 knows one target, the share of CPU; what else v2 says travels in annotations. */
export function autoscalerToV1(stored: KubeObject): KubeObject {
  const { metrics, behavior, ...spec } = specOf(stored);
  const { currentMetrics, conditions: _conditions, ...status } = statusOf(stored);
  const cpu = asArray(metrics).find(isCpuUtilization);
  const rest = asArray(metrics).filter((metric) => metric !== cpu);
  const percent = asObject(asObject(asObject(cpu).resource).target).averageUtilization;
  const annotations = { ...stored.metadata.annotations };
  if (rest.length > 0) annotations[metricsAnnotation] = JSON.stringify(rest);
  if (behavior !== undefined) annotations[behaviorAnnotation] = JSON.stringify(behavior);
  const current = asArray(currentMetrics).map((one) => asObject(asObject(one).resource));
  const used = asObject(current.find((one) => one.name === "cpu")?.current).averageUtilization;
  return {
    ...stored,
    apiVersion: "autoscaling/v1",
    metadata: { ...stored.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, ...(percent !== undefined && { targetCPUUtilizationPercentage: percent }) },
    status: { currentReplicas: 0, ...status, ...(used !== undefined && { currentCPUUtilizationPercentage: used }) },
  };
}

export function autoscalerFromV1(shown: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: percent, ...spec } = specOf(shown);
  const { currentCPUUtilizationPercentage: _used, ...status } = statusOf(shown);
  const annotations = { ...shown.metadata.annotations };
  const metrics = [
    ...asArray(parseAnnotation(annotations[metricsAnnotation])),
    ...(percent === undefined ? [] : [cpuUtilization(percent)]),
  ];
  const behavior = parseAnnotation(annotations[behaviorAnnotation]);
  for (const name of [metricsAnnotation, behaviorAnnotation]) delete annotations[name];
  const metadata = { ...shown.metadata };
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  else delete metadata.annotations;
  return {
    ...shown,
    apiVersion: "autoscaling/v2",
    metadata,
    spec: { ...spec, ...(metrics.length > 0 && { metrics }), ...(behavior !== undefined && { behavior }) },
    ...(shown.status === undefined ? {} : { status }),
  };
}

/** What a client wrote there by hand may be no JSON: then it says nothing. */
function parseAnnotation(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
