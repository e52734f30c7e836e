/** Containers of a pod: the rules that all share, and those of regular, init and ephemeral ones. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { checkEnvironment, checkEnvironmentFrom, namesOf } from "./environment.ts";
import { eachItem, type Findings } from "./findings.ts";
import { checkPortName, checkPortNumber } from "./names.ts";
import { checkLifecycle, checkProbe, probeKinds } from "./probes.ts";
import { checkResourceClaims, checkResources } from "./resources.ts";
import { checkContainerSecurity } from "./security-context.ts";
import { checkMounts } from "./volumes.ts";

/** What containers are checked against. */
export interface PodScope {
  readonly spec: JsonObject;
  readonly path: string;
  readonly volumes: ReadonlyMap<string, JsonObject>;
}

export function checkContainers(scope: PodScope, found: Findings): void {
  const { spec } = scope;
  const path = `${scope.path}.containers`;
  if (asArray(spec.containers).length === 0) found.required(path);
  const names = new Set<string>();
  eachItem(spec.containers, path, (container, at) => {
    checkCommon(container, scope, at, found);
    checkUnique(container, names, at, found);
    checkHooks(container, spec, at, found);
    checkRestart(container, at, found);
  });
  checkHostPorts(asArray(spec.containers).map(asObject), path, found);
}

export function checkInitContainers(scope: PodScope, found: Findings): void {
  const { spec } = scope;
  const path = `${scope.path}.initContainers`;
  const names = new Set(namesOf(spec.containers));
  eachItem(spec.initContainers, path, (container, at) => {
    checkCommon(container, scope, at, found);
    checkRestart(container, at, found);
    checkUnique(container, names, at, found);
    checkHostPorts([container], path, found);
    if (container.restartPolicy === "Always") {
      checkHooks(container, spec, at, found);
      return;
    }
    for (const field of ["lifecycle", ...probeKinds]) {
      if (isObject(container[field]))
        found.forbidden(`${at}.${field}`, "may not be set for init containers without restartPolicy=Always");
    }
  });
}

const ephemeralFields = new Set([
  "name",
  "image",
  "command",
  "args",
  "workingDir",
  "envFrom",
  "env",
  "volumeMounts",
  "volumeDevices",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "imagePullPolicy",
  "securityContext",
  "stdin",
  "stdinOnce",
  "tty",
  "targetContainerName",
]);

export function checkEphemeralContainers(scope: PodScope, found: Findings): void {
  const { spec } = scope;
  const others = new Set([...namesOf(spec.containers), ...namesOf(spec.initContainers)]);
  const names = new Set(others);
  eachItem(spec.ephemeralContainers, `${scope.path}.ephemeralContainers`, (container, at) => {
    checkCommon(container, scope, at, found);
    checkUnique(container, names, at, found);
    const target = asString(container.targetContainerName);
    if (target !== "" && !others.has(target)) found.notFound(`${at}.targetContainerName`, target);
    for (const field of Object.keys(container)) {
      const isEmpty = isObject(container[field]) && Object.keys(asObject(container[field])).length === 0;
      if (!ephemeralFields.has(field) && !isEmpty)
        found.forbidden(`${at}.${field}`, "cannot be set for an Ephemeral Container");
    }
    eachItem(container.volumeMounts, `${at}.volumeMounts`, (mount, place) => {
      if (asString(mount.subPath) !== "")
        found.forbidden(`${place}.subPath`, "cannot be set for an Ephemeral Container");
    });
  });
}

function checkCommon(container: JsonObject, scope: PodScope, path: string, found: Findings): void {
  const name = asString(container.name);
  if (name === "") found.required(`${path}.name`);
  else found.holds(`${path}.name`, name, checkDnsLabel);
  if (asString(container.image) === "") found.required(`${path}.image`);
  const policies = ["File", "FallbackToLogsOnError"];
  found.oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, policies);
  checkPorts(container.ports, `${path}.ports`, found);
  checkEnvironment(container.env, `${path}.env`, found);
  checkEnvironmentFrom(container.envFrom, `${path}.envFrom`, found);
  checkMounts(container, scope.volumes, `${path}.volumeMounts`, found);
  checkDevices(container, scope, `${path}.volumeDevices`, found);
  found.oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ["Always", "IfNotPresent", "Never"]);
  checkResources(container.resources, `${path}.resources`, found);
  const claims = new Set(namesOf(scope.spec.resourceClaims));
  checkResourceClaims(asObject(container.resources).claims, claims, `${path}.resources.claims`, found);
  checkResizePolicy(container.resizePolicy, scope.spec, `${path}.resizePolicy`, found);
  checkContainerSecurity(container.securityContext, `${path}.securityContext`, found);
}

function checkPorts(ports: unknown, path: string, found: Findings): void {
  const names = new Set<string>();
  eachItem(ports, path, (port, at) => {
    const name = asString(port.name);
    const problem = name === "" ? undefined : checkPortName(name);
    if (problem !== undefined) found.invalid(`${at}.name`, name, problem);
    else if (name !== "" && names.has(name)) found.duplicate(`${at}.name`, name);
    names.add(name);
    if (Number(port.containerPort ?? 0) === 0) found.required(`${at}.containerPort`);
    else found.holds(`${at}.containerPort`, Number(port.containerPort), checkPortNumber);
    if (Number(port.hostPort ?? 0) !== 0) found.holds(`${at}.hostPort`, Number(port.hostPort), checkPortNumber);
    found.oneOf(`${at}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]);
  });
}

function checkDevices(container: JsonObject, scope: PodScope, path: string, found: Findings): void {
  eachItem(container.volumeDevices, path, (device, at) => {
    const name = asString(device.name);
    if (name === "") found.required(`${at}.name`);
    if (asString(device.devicePath) === "") found.required(`${at}.devicePath`);
    const volume = scope.volumes.get(name);
    if (volume === undefined) found.notFound(`${at}.name`, name);
    else if (!isObject(volume.persistentVolumeClaim) && !isObject(volume.ephemeral)) {
      const why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      found.invalid(`${at}.name`, name, why);
    }
  });
}

function checkResizePolicy(policies: unknown, spec: JsonObject, path: string, found: Findings): void {
  const seen = new Set<string>();
  eachItem(policies, path, (one, at) => {
    const name = asString(one.resourceName);
    if (seen.has(name)) found.duplicate(at, name);
    seen.add(name);
    found.oneOf(path, name, ["cpu", "memory"]);
    found.oneOf(path, one.restartPolicy, ["NotRequired", "RestartContainer"]);
    if (spec.restartPolicy === "Never" && one.restartPolicy !== "NotRequired")
      found.invalid(path, one.restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
  });
}

function checkUnique(container: JsonObject, names: Set<string>, path: string, found: Findings): void {
  const name = asString(container.name);
  if (names.has(name)) found.duplicate(`${path}.name`, name);
  if (name !== "") names.add(name);
}

function checkHooks(container: JsonObject, spec: JsonObject, path: string, found: Findings): void {
  const graceSeconds = spec.terminationGracePeriodSeconds;
  checkLifecycle(container.lifecycle, { path: `${path}.lifecycle`, graceSeconds }, found);
  for (const kind of probeKinds) checkProbe(container[kind], kind, { path: `${path}.${kind}`, graceSeconds }, found);
}

function checkRestart(container: JsonObject, path: string, found: Findings): void {
  const rules = asArray(container.restartPolicyRules);
  if (container.restartPolicy === undefined) {
    if (rules.length > 0)
      found.required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used");
  } else found.optionalOneOf(`${path}.restartPolicy`, container.restartPolicy, ["Always", "Never", "OnFailure"]);
  eachItem(rules, `${path}.restartPolicyRules`, (rule, at) => {
    found.optionalOneOf(`${at}.action`, rule.action ?? "", ["Restart", "RestartAllContainers"]);
    if (!isObject(rule.exitCodes)) {
      found.required(`${at}.exitCodes`, "must be specified");
      return;
    }
    found.optionalOneOf(`${at}.exitCodes.operator`, rule.exitCodes.operator ?? "", ["In", "NotIn"]);
  });
}

function checkHostPorts(containers: readonly JsonObject[], path: string, found: Findings): void {
  const seen = new Set<string>();
  for (const [index, container] of containers.entries()) {
    eachItem(container.ports, `${path}[${index}].ports`, (port, at) => {
      if (Number(port.hostPort ?? 0) === 0) return;
      const id = `${asString(port.protocol)}/${asString(port.hostIP)}/${Number(port.hostPort)}`;
      if (seen.has(id)) found.duplicate(`${at}.hostPort`, id);
      seen.add(id);
    });
  }
}
