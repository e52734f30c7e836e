/** Pod specs, of pods and of the templates of workloads. The checks run in the order of the real server's. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../registry/names.ts";
import { validateLabels } from "../registry/validate-metadata.ts";
import type { StatusCause } from "../status.ts";
import { checkAffinity, checkGates, checkSpreadConstraints, checkTolerations } from "./affinity.ts";
import { checkContainers, checkEphemeralContainers, checkInitContainers } from "./containers.ts";
import { eachItem, Findings } from "./findings.ts";
import { isIpv4 } from "./names.ts";
import { checkResources } from "./resources.ts";
import { checkPodSecurity } from "./security-context.ts";
import { checkVolumes } from "./volumes.ts";

const restartPolicies = ["Always", "OnFailure", "Never"];
const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const maxInt32 = 2_147_483_647;

export interface PodSpecPlace {
  readonly path: string;
  /** Templates may leave host ports to the pods made of them. */
  readonly isPod: boolean;
}

export function validatePodSpec(spec: JsonObject, place: PodSpecPlace): StatusCause[] {
  const { path } = place;
  const found = new Findings();
  const grace = spec.terminationGracePeriodSeconds;
  if (grace !== undefined && Number(grace) < 0)
    found.invalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than or equal to 0");
  const volumes = checkVolumes(spec.volumes, `${path}.volumes`, found);
  checkClaims(spec.resourceClaims, `${path}.resourceClaims`, found);
  const scope = { spec, path, volumes };
  checkContainers(scope, found);
  checkInitContainers(scope, found);
  checkEphemeralContainers(scope, found);
  if (isObject(spec.resources)) checkResources(spec.resources, `${path}.resources`, found);
  checkHostNetwork(spec, place, found);
  found.oneOf(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies);
  found.oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies);
  found.add(...validateLabels(asObject(spec.nodeSelector) as Record<string, string>, `${path}.nodeSelector`));
  checkPodSecurity(spec, `${path}.securityContext`, found);
  checkAffinity(spec.affinity, `${path}.affinity`, found);
  checkDnsConfig(spec, path, found);
  eachItem(spec.readinessGates, `${path}.readinessGates`, (gate, at) =>
    found.qualifiedName(`${at}.conditionType`, asString(gate.conditionType)),
  );
  checkGates(spec.schedulingGates, `${path}.schedulingGates`, found);
  checkSpreadConstraints(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, found);
  checkSmallFields(spec, path, found);
  return found.list;
}

function checkSmallFields(spec: JsonObject, path: string, found: Findings): void {
  const check = (field: string, rule: (value: string) => string | undefined) => {
    const value = asString(spec[field]);
    if (value !== "") found.holds(`${path}.${field}`, value, rule);
  };
  check("serviceAccountName", checkDnsSubdomain);
  check("nodeName", checkDnsSubdomain);
  found.range(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, maxInt32);
  check("hostname", checkDnsLabel);
  check("subdomain", checkDnsLabel);
  checkTolerations(spec.tolerations, `${path}.tolerations`, found);
  eachItem(spec.hostAliases, `${path}.hostAliases`, (alias, at) => {
    const ip = asString(alias.ip);
    if (!isIpv4(ip) && !ip.includes(":"))
      found.invalid(`${at}.ip`, ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    for (const [index, name] of asArray(alias.hostnames).entries())
      found.holds(`${at}.hostnames[${index}]`, asString(name), checkDnsSubdomain);
  });
  check("priorityClassName", checkDnsSubdomain);
  check("runtimeClassName", checkDnsSubdomain);
  found.optionalOneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]);
  if (isObject(spec.overhead)) checkResources({ limits: spec.overhead }, `${path}.overhead`, found);
  if (isObject(spec.os)) found.oneOf(`${path}.os.name`, spec.os.name, ["linux", "windows"]);
}

function checkHostNetwork(spec: JsonObject, place: PodSpecPlace, found: Findings): void {
  if (spec.hostNetwork !== true) return;
  eachItem(spec.containers, `${place.path}.containers`, (container, at) => {
    eachItem(container.ports, `${at}.ports`, (port, where) => {
      const hostPort = Number(port.hostPort ?? 0);
      if (hostPort === Number(port.containerPort) || (!place.isPod && hostPort === 0)) return;
      found.invalid(`${where}.hostPort`, hostPort, "must match `containerPort` when `hostNetwork` is true");
    });
  });
}

function checkDnsConfig(spec: JsonObject, path: string, found: Findings): void {
  const config = spec.dnsConfig;
  if (spec.dnsPolicy === "None") {
    const at = `${path}.dnsConfig`;
    if (!isObject(config)) {
      found.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
      return;
    }
    if (asArray(config.nameservers).length === 0) {
      found.required(`${at}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None");
      return;
    }
  }
  const { nameservers, options } = asObject(config);
  if (asArray(nameservers).length > 3)
    found.invalid(`${path}.dnsConfig.nameservers`, nameservers, "must not have more than 3 nameservers");
  eachItem(options, `${path}.dnsConfig.options`, (option, at) => {
    if (asString(option.name) === "") found.required(`${at}`, "must not be empty");
  });
}

function checkClaims(claims: unknown, path: string, found: Findings): void {
  const seen = new Set<string>();
  eachItem(claims, path, (claim, at) => {
    const name = asString(claim.name);
    if (name === "") found.required(`${at}.name`);
    else if (seen.has(name)) found.duplicate(at, name);
    else found.holds(`${at}.name`, name, checkDnsLabel);
    seen.add(name);
    const sources = ["resourceClaimName", "resourceClaimTemplateName"].filter((field) => claim[field] !== undefined);
    if (sources.length > 1)
      found.invalid(at, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
    if (sources.length === 0)
      found.invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
  });
}
