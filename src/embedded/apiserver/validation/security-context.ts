/** Security contexts of pods and containers, as far as they can contradict themselves. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { eachItem, type Findings } from "./findings.ts";
import { checkLocalPath, checkUserId } from "./names.ts";

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

export function checkContainerSecurity(context: unknown, path: string, found: Findings): void {
  if (!isObject(context)) return;
  checkIds(context, ["runAsUser", "runAsGroup"], path, found);
  found.optionalOneOf(`${path}.procMount`, context.procMount, ["Default", "Unmasked"]);
  if (context.procMount === "Unmasked")
    found.invalid(`${path}.procMount`, context.procMount, "`hostUsers` must be false to use `Unmasked`");
  checkProfiles(context, path, found);
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true) {
    found.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  if (asArray(asObject(context.capabilities).add).includes("CAP_SYS_ADMIN")) {
    found.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

export function checkPodSecurity(spec: JsonObject, path: string, found: Findings): void {
  const context = asObject(spec.securityContext);
  checkIds(context, ["fsGroup", "runAsUser", "runAsGroup"], path, found);
  for (const [index, group] of asArray(context.supplementalGroups).entries())
    found.holds(`${path}.supplementalGroups[${index}]`, Number(group), checkUserId);
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const why = "ShareProcessNamespace and HostPID cannot both be enabled";
    found.invalid(`${path}.shareProcessNamespace`, true, why);
  }
  checkSysctls(context.sysctls, `${path}.sysctls`, found);
  found.optionalOneOf(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]);
  checkProfiles(context, path, found);
  found.optionalOneOf(`${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ["Merge", "Strict"]);
}

function checkIds(context: JsonObject, fields: readonly string[], path: string, found: Findings): void {
  for (const field of fields) {
    if (context[field] !== undefined) found.holds(`${path}.${field}`, Number(context[field]), checkUserId);
  }
}

function checkProfiles(context: JsonObject, path: string, found: Findings): void {
  for (const name of ["seccompProfile", "appArmorProfile"]) {
    const profile = context[name];
    if (!isObject(profile)) continue;
    const kind = name === "seccompProfile" ? "seccomp" : "AppArmor";
    const at = `${path}.${name}`;
    if (asString(profile.type) === "") found.required(`${at}.type`, `type is required when ${name} is set`);
    else found.optionalOneOf(`${at}.type`, profile.type, profileTypes);
    if (profile.type === "Localhost") {
      if (profile.localhostProfile === undefined)
        found.required(`${at}.localhostProfile`, `must be set when ${kind} type is Localhost`);
      else if (kind === "seccomp")
        found.holds(`${at}.localhostProfile`, asString(profile.localhostProfile), checkLocalPath);
    } else if (profile.localhostProfile !== undefined)
      found.invalid(
        `${at}.localhostProfile`,
        profile.localhostProfile,
        `can only be set when ${kind} type is Localhost`,
      );
  }
}

const sysctlForm = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlWords =
  "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

function checkSysctls(sysctls: unknown, path: string, found: Findings): void {
  const seen = new Set<string>();
  eachItem(sysctls, path, (one, at) => {
    const name = asString(one.name);
    if (name === "") found.required(`${at}.name`);
    else if (name.length > 253 || !sysctlForm.test(name)) found.invalid(`${at}.name`, name, sysctlWords);
    else if (seen.has(name)) found.duplicate(`${at}.name`, name);
    seen.add(name);
  });
}
