/** Services: ports, addresses, traffic policies, and the addresses that stay. Pure. */
import { asArray, asObject, asString, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../registry/names.ts";
import { validateLabels } from "../registry/validate-metadata.ts";
import type { StatusCause } from "../status.ts";
import { eachItem, Findings } from "./findings.ts";
import { checkPort, checkPortNumber, isIpv4 } from "./names.ts";
import { isExternal } from "./service-types.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const isHeadless = (spec: JsonObject) => asArray(spec.clusterIPs)[0] === "None";
const isIp = (text: string) => isIpv4(text) || /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text);
const ipWords = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

export function validateService(service: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = specOf(service);
  const found = new Findings();
  if (old !== undefined) checkAddressesKept(spec, specOf(old), found);
  if (asArray(spec.ports).length === 0 && !isHeadless(spec) && spec.type !== "ExternalName")
    found.required("spec.ports");
  checkType(spec, found);
  checkPorts(spec, found);
  found.add(...validateLabels(asObject(spec.selector) as Record<string, string>, "spec.selector"));
  found.oneOf("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]);
  const timeout = asObject(asObject(spec.sessionAffinityConfig).clientIP).timeoutSeconds;
  if (spec.sessionAffinity === "ClientIP" && !(Number(timeout) > 0 && Number(timeout) <= 86_400)) {
    const field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
    found.invalid(field, timeout, "must be greater than 0 and less than 86400");
  }
  checkAddresses(spec, found);
  for (const [index, ip] of asArray(spec.externalIPs).map(asString).entries())
    if (!isIp(ip)) found.invalid(`spec.externalIPs[${index}]`, ip, ipWords);
  found.oneOf("spec.type", spec.type, types);
  checkLoadBalancer(spec, found);
  checkTraffic(spec, found);
  return found.list;
}

function checkType(spec: JsonObject, found: Findings): void {
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && isHeadless(spec))
    found.invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`);
  if (spec.type !== "ExternalName") return;
  for (const field of ["clusterIPs", "ipFamilies"])
    if (asArray(spec[field]).length > 0) found.forbidden(`spec.${field}`, "may not be set for ExternalName services");
  if (spec.ipFamilyPolicy !== undefined)
    found.forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services");
  const name = asString(spec.externalName).replace(/\.$/, "");
  if (name === "") found.required("spec.externalName");
  else found.holds("spec.externalName", name, checkDnsSubdomain);
}

function checkPorts(spec: JsonObject, found: Findings): void {
  const names = new Set<string>();
  const nodePorts = new Set<string>();
  const ports = new Set<string>();
  const list = asArray(spec.ports);
  eachItem(list, "spec.ports", (port, at) => {
    const name = asString(port.name);
    if (name === "" && list.length > 1) found.required(`${at}.name`);
    else if (name !== "") {
      found.holds(`${at}.name`, name, checkDnsLabel);
      if (names.has(name)) found.duplicate(`${at}.name`, name);
      names.add(name);
    }
    found.holds(`${at}.port`, Number(port.port ?? 0), checkPortNumber);
    found.oneOf(`${at}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]);
    found.holds(`${at}.targetPort`, port.targetPort ?? 0, checkPort);
    if (port.appProtocol !== undefined) found.qualifiedName(`${at}.appProtocol`, asString(port.appProtocol));
  });
  eachItem(list, "spec.ports", (port, at) => {
    if (spec.type === "ClusterIP" && port.nodePort !== undefined)
      found.forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'");
    const nodePort = `${port.protocol}/${port.nodePort}`;
    if (port.nodePort !== undefined && nodePorts.has(nodePort)) found.duplicate(`${at}.nodePort`, port.nodePort);
    nodePorts.add(nodePort);
  });
  eachItem(list, "spec.ports", (port, at) => {
    const id = `${port.protocol}/${port.port}`;
    if (ports.has(id)) found.duplicate(at, { protocol: port.protocol, port: port.port });
    ports.add(id);
  });
}

function checkAddresses(spec: JsonObject, found: Findings): void {
  if (spec.type === "ExternalName") return;
  const list = asArray(spec.clusterIPs).map(asString);
  if (asString(spec.clusterIP) !== "" && list[0] !== spec.clusterIP)
    found.invalid("spec.clusterIPs", list, "first value must match `clusterIP`");
  for (const [index, ip] of list.entries()) {
    if (index === 0 && ip === "None") {
      if (list.length > 1) found.invalid("spec.clusterIPs", list, "'None' must be the first and only value");
    } else if (!isIp(ip)) found.invalid(`spec.clusterIPs[${index}]`, ip, ipWords);
  }
  if (list.length > 2) found.invalid("spec.clusterIPs", list, "may only hold up to 2 values");
  const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  found.optionalOneOf("spec.ipFamilyPolicy", spec.ipFamilyPolicy, policies);
  for (const [index, family] of asArray(spec.ipFamilies).entries())
    found.optionalOneOf(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"]);
}

function checkAddressesKept(spec: JsonObject, before: JsonObject, found: Findings): void {
  if (spec.type === "ExternalName" || before.type === "ExternalName") return;
  if (isHeadless(spec) && isHeadless(before)) return;
  const [now, was] = [asArray(spec.clusterIPs), asArray(before.clusterIPs)];
  if (was.length > 0 && now.length === 0)
    found.invalid("spec.clusterIPs[0]", now, "primary clusterIP can not be unset");
  else if (was.length > 0 && now[0] !== was[0]) found.invalid("spec.clusterIPs[0]", now, "may not change once set");
  if (
    spec.type === "LoadBalancer" &&
    before.type === "LoadBalancer" &&
    spec.loadBalancerClass !== before.loadBalancerClass
  )
    found.invalid("spec.loadBalancerClass", spec.loadBalancerClass ?? null, "may not change once set");
}

function checkLoadBalancer(spec: JsonObject, found: Findings): void {
  if (spec.type === "LoadBalancer") {
    if (spec.loadBalancerClass !== undefined)
      found.qualifiedName("spec.loadBalancerClass", asString(spec.loadBalancerClass));
    return;
  }
  if (asArray(spec.loadBalancerSourceRanges).length > 0)
    found.forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'");
  for (const field of ["allocateLoadBalancerNodePorts", "loadBalancerClass"])
    if (spec[field] !== undefined) found.forbidden(`spec.${field}`, "may only be used when `type` is 'LoadBalancer'");
}

function checkTraffic(spec: JsonObject, found: Findings): void {
  const external = spec.externalTrafficPolicy;
  if (isExternal(spec)) found.oneOf("spec.externalTrafficPolicy", external, ["Cluster", "Local"]);
  else if (external !== undefined)
    found.invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services");
  const needsHealthPort = spec.type === "LoadBalancer" && external === "Local";
  if (!needsHealthPort && spec.healthCheckNodePort !== undefined) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    found.invalid("spec.healthCheckNodePort", spec.healthCheckNodePort, why);
  }
  found.optionalOneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, ["Cluster", "Local"]);
  const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
  found.optionalOneOf("spec.trafficDistribution", spec.trafficDistribution, distributions);
}
