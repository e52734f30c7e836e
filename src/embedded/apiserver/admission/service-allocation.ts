/**
 * Cluster IPs out of 10.96.0.0/16 and node ports out of 30000-32767. What is in use is read off the stored services, so
 * a deleted service has released what it held. Mutates the fresh service; throws 422 where a wish cannot be met.
 */
import { asArray, asObject, asString, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { StrategyContext } from "../registry/kind.ts";
import { cause, failure, invalid, type StatusCause } from "../status.ts";
import { isIpv4 } from "../validation/names.ts";
import { needsNodePorts } from "../validation/service-types.ts";

export const serviceCidr = "10.96.0.0/16";
/** The API server's own, as on most clusters: of the service `default/kubernetes`. */
export const apiServerIp = "10.96.0.1";
const inCidr = (ip: string) => isIpv4(ip) && ip.startsWith("10.96.") && ip !== "10.96.0.0" && ip !== "10.96.255.255";
const lowestNodePort = 30_000;
const highestNodePort = 32_767;

export function allocateAddresses(service: KubeObject, context: StrategyContext, old?: KubeObject): void {
  const spec = specOf(service);
  if (spec.type === "ExternalName") return;
  const before = old === undefined ? {} : specOf(old);
  if (spec.ipFamilyPolicy === undefined) {
    const isOpen = spec.clusterIP === "None" && Object.keys(asObject(spec.selector)).length === 0;
    spec.ipFamilyPolicy = before.ipFamilyPolicy ?? (isOpen ? "RequireDualStack" : "SingleStack");
  }
  chooseFamilies(service);
  const [first = ""] = asArray(spec.clusterIPs).map(asString);
  // Once set, addresses stay: what else an update asks for is for validation to refuse.
  const hadAddress = old !== undefined && before.type !== "ExternalName";
  if (first === "None" || (first !== "" && hadAddress)) return;
  const used = usedAddresses(service, context);
  const ip = first === "" ? freeAddress(used) : first;
  const why = used.has(ip)
    ? "provided IP is already allocated"
    : "the provided network does not match the current range";
  const isWellFormed = isIpv4(ip);
  if (isWellFormed && (used.has(ip) || !inCidr(ip)))
    refuse(service, [cause.invalid("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${ip}: ${why}`)]);
  spec.clusterIP = ip;
  spec.clusterIPs = [ip, ...asArray(spec.clusterIPs).slice(1)];
}

/** One family is configured here. Only headless services without a selector may speak of both, as nothing is allocated. */
function chooseFamilies(service: KubeObject): void {
  const spec = specOf(service);
  const families = asArray(spec.ipFamilies).map(asString);
  const isDual = spec.ipFamilyPolicy !== "SingleStack";
  if (spec.clusterIP === "None" && Object.keys(asObject(spec.selector)).length === 0) {
    const [first = "IPv4"] = families;
    const other = first === "IPv4" ? "IPv6" : "IPv4";
    spec.ipFamilies = families.length > 1 || !isDual ? (families.length > 0 ? families : [first]) : [first, other];
    return;
  }
  const findings: StatusCause[] = [];
  if (!isDual && families.length > 1) {
    const why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    findings.push(cause.invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, why));
  }
  if (spec.ipFamilyPolicy === "RequireDualStack") {
    const why = "this cluster is not configured for dual-stack services";
    findings.push(cause.invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, why));
  }
  for (const [index, family] of families.entries())
    if (family === "IPv6")
      findings.push(cause.invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster"));
  refuse(service, findings);
  if (families.length === 0) spec.ipFamilies = ["IPv4"];
}

function refuse(service: KubeObject, findings: readonly StatusCause[]): void {
  if (findings.length > 0) throw invalid({ resource: "Service", group: "" }, service.metadata.name, findings);
}

function others(service: KubeObject, context: StrategyContext): JsonObject[] {
  const stored = context.store.list("services").items.map((item) => item.object);
  return stored.filter((other) => other.metadata.uid !== service.metadata.uid).map(specOf);
}

function usedAddresses(service: KubeObject, context: StrategyContext): Set<string> {
  return new Set(others(service, context).flatMap((spec) => asArray(spec.clusterIPs).map(asString)));
}

function freeAddress(used: ReadonlySet<string>): string {
  for (let host = 2; host < 65_535; host += 1) {
    const ip = `10.96.${host >> 8}.${host & 255}`;
    if (!used.has(ip)) return ip;
  }
  throw failure(500, "InternalError", `no cluster IP is free in ${serviceCidr}; delete services that are not used`);
}

export function allocateNodePorts(service: KubeObject, context: StrategyContext): void {
  const spec = specOf(service);
  const needsHealthPort = spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
  if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") return;
  const used = new Set(others(service, context).flatMap(portsOf));
  const ports = asArray(spec.ports).map(asObject);
  for (const [index, port] of ports.entries()) {
    if (port.nodePort !== undefined && port.nodePort !== 0) checkWish(service, port, used, index);
  }
  for (const port of ports) used.add(Number(port.nodePort ?? 0));
  if (needsHealthPort && spec.healthCheckNodePort === undefined) spec.healthCheckNodePort = takePort(used);
  if (!needsNodePorts(spec)) return;
  for (const port of ports) if (port.nodePort === undefined || port.nodePort === 0) port.nodePort = takePort(used);
}

const portsOf = (spec: JsonObject): number[] => [
  ...asArray(spec.ports).map((port) => Number(asObject(port).nodePort ?? 0)),
  Number(spec.healthCheckNodePort ?? 0),
];

function checkWish(service: KubeObject, port: JsonObject, used: ReadonlySet<number>, index: number): void {
  const wanted = Number(port.nodePort);
  const inRange = wanted >= lowestNodePort && wanted <= highestNodePort;
  if (inRange && !used.has(wanted)) return;
  const range = `${lowestNodePort}-${highestNodePort}`;
  const why = inRange
    ? "provided port is already allocated"
    : `provided port is not in the valid range. The range of valid ports is ${range}`;
  refuse(service, [cause.invalid(`spec.ports[${index}].nodePort`, wanted, why)]);
}

function takePort(used: Set<number>): number {
  for (let port = lowestNodePort; port <= highestNodePort; port += 1) {
    if (used.has(port)) continue;
    used.add(port);
    return port;
  }
  throw failure(500, "InternalError", "failed to allocate a nodePort: range is full");
}
