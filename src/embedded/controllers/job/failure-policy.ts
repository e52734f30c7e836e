/** What a failed pod means by the job's pod failure policy: the first rule that matches decides. Pure. */
import type { Pod } from "../../kubelet/core-types.ts";
import type { Job, PodFailurePolicyRule } from "../workload-types.ts";

export interface PolicyVerdict {
  readonly action: "FailJob" | "Ignore" | "Count";
  readonly message: string;
}

const counted: PolicyVerdict = { action: "Count", message: "" };

export function judgeFailure(job: Job, pod: Pod): PolicyVerdict {
  // Rules are about an end; a pod that is only on its way out has none yet.
  if (pod.status?.phase !== "Failed") return counted;
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = matchRule(rule, pod);
    if (why === undefined) continue;
    const action = rule.action === "FailJob" || rule.action === "Ignore" ? rule.action : "Count";
    return { action, message: `${why} matching ${rule.action} rule at index ${index}` };
  }
  return counted;
}

function matchRule(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const { name, namespace } = pod.metadata;
  if (rule.onExitCodes !== undefined) {
    const { containerName, operator, values } = rule.onExitCodes;
    for (const status of [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]) {
      const code = status.state?.terminated?.exitCode;
      if (code === undefined || code === 0 || (containerName && containerName !== status.name)) continue;
      if (values.includes(code) !== (operator === "In")) continue;
      return `Container ${status.name} for pod ${namespace}/${name} failed with exit code ${code}`;
    }
    return undefined;
  }
  for (const pattern of rule.onPodConditions ?? []) {
    const condition = pod.status?.conditions?.find(
      (one) => one.type === pattern.type && one.status === (pattern.status ?? "True"),
    );
    if (condition !== undefined) return `Pod ${namespace}/${name} has condition ${condition.type}`;
  }
  return undefined;
}
