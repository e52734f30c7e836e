/** The policy that a namespace's labels ask for, and what a pod violates of it. Pure. */
import { cause, type StatusCause } from "../../status.ts";
import { baselineChecks } from "./baseline.ts";
import type { CheckedPod, Violation } from "./findings.ts";
import { overridden, restrictedChecks } from "./restricted.ts";

export type Level = "privileged" | "baseline" | "restricted";

export interface LevelVersion {
  readonly level: Level;
  /** `latest` or `v1.N`. Checks of older versions are those of this one. */
  readonly version: string;
}

export type Mode = "enforce" | "audit" | "warn";
export type Policy = Readonly<Record<Mode, LevelVersion>>;

const prefix = "pod-security.kubernetes.io/";
const levels: readonly string[] = ["privileged", "baseline", "restricted"];
const modes: readonly Mode[] = ["enforce", "audit", "warn"];

export function policyOf(labels: Readonly<Record<string, string>>): { policy: Policy; problems: StatusCause[] } {
  const problems: StatusCause[] = [];
  const read = (mode: Mode): LevelVersion => {
    const key = `${prefix}${mode}`;
    const level = labels[key] ?? "privileged";
    const version = labels[`${key}-version`] ?? "latest";
    const knownLevel = levels.includes(level);
    if (!knownLevel)
      problems.push(cause.invalid(`metadata.labels[${key}]`, level, "must be one of privileged, baseline, restricted"));
    const knownVersion = version === "latest" || /^v1\.(0|[1-9]\d*)$/.test(version);
    if (!knownVersion) {
      const why = 'must be "latest" or "v1.x"';
      problems.push(cause.invalid(`metadata.labels[${key}-version]`, version, why));
    }
    // What cannot be read is taken for the strictest where it is enforced, and for nothing where it only informs.
    const fallback: Level = mode === "enforce" ? "restricted" : "privileged";
    return { level: knownLevel ? (level as Level) : fallback, version: knownVersion ? version : "latest" };
  };
  const policy = Object.fromEntries(modes.map((mode) => [mode, read(mode)])) as Record<Mode, LevelVersion>;
  return { policy: followEnforce(policy, labels), problems };
}

/** Warnings follow what is enforced unless they are set themselves: so people learn it from a workload, not its pods. */
function followEnforce(policy: Policy, labels: Readonly<Record<string, string>>): Policy {
  const enforced = labels[`${prefix}enforce`];
  if (labels[`${prefix}warn`] !== undefined || enforced === undefined || !levels.includes(enforced)) return policy;
  const version = labels[`${prefix}warn-version`] === undefined ? policy.enforce.version : policy.warn.version;
  return { ...policy, warn: { level: policy.enforce.level, version } };
}

export const describePolicy = ({ level, version }: LevelVersion): string => `${level}:${version}`;

/** Undefined where the pod violates nothing; otherwise reasons and details in one line. */
export function violationsOf(pod: CheckedPod, { level }: LevelVersion): string | undefined {
  if (level === "privileged") return undefined;
  const checks = level === "baseline" ? baselineChecks : { ...withoutOverridden(), ...restrictedChecks };
  const violations = orderOf(level).flatMap((id): Violation[] => {
    const violation = checks[id]?.(pod);
    return violation === undefined ? [] : [violation];
  });
  if (violations.length === 0) return undefined;
  return violations.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`)).join(", ");
}

function withoutOverridden() {
  return Object.fromEntries(Object.entries(baselineChecks).filter(([id]) => !overridden.has(id)));
}

/** Baseline checks come first, each level by identity. */
function orderOf(level: Level): string[] {
  const baseline = Object.keys(baselineChecks).sort();
  if (level === "baseline") return baseline;
  return [...baseline.filter((id) => !overridden.has(id)), ...Object.keys(restrictedChecks).sort()];
}
