/** What a run shows of its models: a row for machines, and a line for people. Pure. */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { Model } from "../../api/v1alpha1/types.ts";

export interface ShownModel {
  readonly name: string;
  readonly approved: boolean;
  /** Of condition Approved. */
  readonly reason: string;
  readonly policies: readonly string[];
  /** How many signed the finding that counts. */
  readonly validators: number;
  readonly findings: string;
}

export function describeModel({ metadata, status }: Model): ShownModel {
  const approved = status?.conditions?.find(({ type }) => type === "Approved");
  return {
    name: metadata.name,
    approved: isConditionTrue(status?.conditions, "Approved"),
    reason: approved?.reason ?? "NotChecked",
    policies: status?.policies ?? [],
    validators: status?.approval?.validators.length ?? 0,
    findings: status?.summary ?? "",
  };
}

export function renderModels(models: readonly ShownModel[]): string[] {
  if (models.length === 0) return [];
  const parts = models.map(({ name, approved, reason, policies, validators }) =>
    approved ? `${name} for ${policies.join(" and ")} by ${validators} validators` : `${name} not (${reason})`,
  );
  return [`Models scanned in processes of their own and approved: ${parts.join("; ")}.`];
}
