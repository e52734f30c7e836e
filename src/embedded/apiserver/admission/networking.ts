/** Strategies of ingresses and their classes, network policies, endpoint slices, IP addresses and service CIDRs. */
import { isIP } from "node:net";
import { asArray, asObject, asString, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../registry/names.ts";
import { cause, type StatusCause } from "../status.ts";
import { checkCidr, isStrictSubset } from "../validation/cidrs.ts";
import { eachItem, Findings } from "../validation/findings.ts";
import { checkIngressSpec } from "../validation/ingresses.ts";
import { checkLabelSelector } from "../validation/label-selectors.ts";
import { checkPortName, checkPortNumber } from "../validation/names.ts";

const classAnnotation = "kubernetes.io/ingress.class";

export const ingressStrategy: Strategy = {
  prepareCreate: (ingress) => {
    ingress.status = { loadBalancer: {} };
  },
  validate: (ingress, old, subresource) => {
    if (subresource === "status") return [];
    const found = new Findings();
    checkIngressSpec(specOf(ingress), found);
    const annotated = ingress.metadata.annotations?.[classAnnotation];
    const className = specOf(ingress).ingressClassName;
    if (old === undefined && annotated !== undefined && className !== undefined && annotated !== className) {
      const why = "must match `ingressClassName` when both are specified";
      found.invalid(`annotations.${classAnnotation}`, annotated, why);
    }
    return found.list;
  },
};

export const ingressClassStrategy: Strategy = {
  applyDefaults: (object) => {
    const { parameters } = specOf(object);
    if (isObject(parameters)) parameters.scope ??= "Cluster";
  },
  validate: (object, old) => {
    const spec = specOf(object);
    const found = new Findings();
    const controller = asString(spec.controller);
    if (old !== undefined && controller !== specOf(old).controller)
      found.invalid("spec.controller", controller, "field is immutable");
    if (controller === "") found.required("spec.controller");
    else if (!/^[^/]+\/.+/.test(controller)) {
      const why = 'must be a domain-prefixed path (such as "acme.io/foo")';
      found.invalid("spec.controller", controller, why);
    }
    if (isObject(spec.parameters)) checkParameters(spec.parameters, found);
    return found.list;
  },
};

function checkParameters(parameters: JsonObject, found: Findings): void {
  const path = "spec.parameters";
  for (const field of ["kind", "name"]) if (asString(parameters[field]) === "") found.required(`${path}.${field}`);
  found.oneOf(`${path}.scope`, parameters.scope, ["Cluster", "Namespace"]);
  if (parameters.scope === "Namespace" && parameters.namespace === undefined)
    found.required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'");
  if (parameters.scope === "Cluster" && parameters.namespace !== undefined)
    found.forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'");
}

export const networkPolicyStrategy: Strategy = {
  applyDefaults: (policy) => {
    const spec = specOf(policy);
    policy.spec = spec;
    spec.podSelector ??= {};
    for (const rule of [...asArray(spec.ingress), ...asArray(spec.egress)])
      for (const port of asArray(asObject(rule).ports)) asObject(port).protocol ??= "TCP";
    if (asArray(spec.policyTypes).length === 0)
      spec.policyTypes = asArray(spec.egress).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: (policy) => {
    const spec = specOf(policy);
    const found = new Findings();
    checkLabelSelector(spec.podSelector, "spec.podSelector", found);
    for (const [list, peers] of [
      ["ingress", "from"],
      ["egress", "to"],
    ] as const) {
      eachItem(spec[list], `spec.${list}`, (rule, at) => {
        eachItem(rule.ports, `${at}.ports`, (port, place) => checkPolicyPort(port, place, found));
        eachItem(rule[peers], `${at}.${peers}`, (peer, place) => checkPeer(peer, place, found));
      });
    }
    const types = asArray(spec.policyTypes);
    if (types.length > 2) found.invalid("spec.policyTypes", types, "may not specify more than two policyTypes");
    else
      for (const [index, type] of types.entries())
        found.optionalOneOf(`spec.policyTypes[${index}]`, type, ["Ingress", "Egress"]);
    return found.list;
  },
};

function checkPolicyPort(one: JsonObject, path: string, found: Findings): void {
  const { port, endPort } = one;
  found.optionalOneOf(`${path}.protocol`, one.protocol, ["TCP", "UDP", "SCTP"]);
  if (port === undefined) {
    if (endPort !== undefined)
      found.invalid(`${path}.endPort`, endPort, "may not be specified when `port` is not specified");
  } else if (typeof port === "string") {
    if (endPort !== undefined)
      found.invalid(`${path}.endPort`, endPort, "may not be specified when `port` is non-numeric");
    found.holds(`${path}.port`, port, checkPortName);
  } else {
    found.holds(`${path}.port`, Number(port), checkPortNumber);
    if (endPort === undefined) return;
    if (Number(endPort) < Number(port))
      found.invalid(`${path}.endPort`, port, "must be greater than or equal to `port`");
    found.holds(`${path}.endPort`, Number(endPort), checkPortNumber);
  }
}

function checkPeer(peer: JsonObject, path: string, found: Findings): void {
  const given = ["podSelector", "namespaceSelector", "ipBlock"].filter((name) => isObject(peer[name]));
  for (const name of given.filter((one) => one !== "ipBlock")) checkLabelSelector(peer[name], `${path}.${name}`, found);
  if (isObject(peer.ipBlock)) checkBlock(peer.ipBlock, `${path}.ipBlock`, found);
  if (given.length === 0) found.required(path, "must specify a peer");
  else if (given.length > 1 && given.includes("ipBlock"))
    found.forbidden(path, "may not specify both ipBlock and another peer");
}

function checkBlock(block: JsonObject, path: string, found: Findings): void {
  const cidr = asString(block.cidr);
  if (cidr === "") {
    found.required(`${path}.cidr`);
    return;
  }
  found.holds(`${path}.cidr`, cidr, checkCidr);
  if (checkCidr(cidr) !== undefined) return;
  for (const [index, item] of asArray(block.except).map(asString).entries()) {
    const at = `${path}.except[${index}]`;
    if (checkCidr(item) !== undefined) found.holds(at, item, checkCidr);
    else if (!isStrictSubset(item, cidr)) found.invalid(at, item, "must be a strict subset of `cidr`");
  }
}

export const endpointSliceStrategy: Strategy = {
  applyDefaults: (slice) => {
    for (const port of asArray(slice.ports).map(asObject)) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
    slice.endpoints ??= [];
    slice.ports ??= null;
    if (slice.ports === null) delete slice.ports;
  },
  validate: validateEndpointSlice,
};

const maxEndpoints = 1000;
const maxEndpointAddresses = 100;

function validateEndpointSlice(slice: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const found = new Findings();
  found.oneOf("addressType", slice.addressType, ["FQDN", "IPv4", "IPv6"]);
  const endpoints = asArray(slice.endpoints);
  if (endpoints.length > maxEndpoints) found.add(cause.tooMany("endpoints", endpoints.length, maxEndpoints));
  eachItem(endpoints, "endpoints", (endpoint, at) => {
    const addresses = asArray(endpoint.addresses).map(asString);
    if (addresses.length === 0) found.required(`${at}.addresses`, "must contain at least 1 address");
    if (addresses.length > maxEndpointAddresses)
      found.add(cause.tooMany(`${at}.addresses`, addresses.length, maxEndpointAddresses));
    // Pods of the process kubelet are on the loopback interface, which Kubernetes allows to no endpoint.
    const isPod = asObject(endpoint.targetRef).kind === "Pod";
    for (const [index, address] of addresses.entries()) {
      if (isPod && isLoopback(address)) continue;
      checkAddress(address, slice.addressType, `${at}.addresses[${index}]`, found);
    }
    if (endpoint.hostname !== undefined) found.holds(`${at}.hostname`, asString(endpoint.hostname), checkDnsLabel);
    if (endpoint.nodeName !== undefined) found.holds(`${at}.nodeName`, asString(endpoint.nodeName), checkDnsSubdomain);
  });
  const names = new Set<string>();
  eachItem(slice.ports, "ports", (port, at) => {
    const name = asString(port.name);
    if (name !== "") found.holds(`${at}.name`, name, checkDnsLabel);
    if (names.has(name)) found.duplicate(`${at}.name`, name);
    names.add(name);
    found.oneOf(`${at}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]);
  });
  if (old !== undefined && old.addressType !== slice.addressType)
    found.invalid("addressType", slice.addressType, "field is immutable");
  return found.list;
}

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

function checkAddress(address: string, type: unknown, path: string, found: Findings): void {
  const family = isIP(address);
  if (type === "FQDN") {
    found.holds(path, address, checkDnsSubdomain);
    return;
  }
  if (family === 0) found.invalid(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  else if (type === "IPv4" && family !== 4) found.invalid(path, address, "must be an IPv4 address");
  else if (type === "IPv6" && family !== 6) found.invalid(path, address, "must be an IPv6 address");
  else if (isLoopback(address)) found.invalid(path, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
}

export const ipAddressStrategy: Strategy = {
  checkName: (name) => (isIP(name) === 0 ? "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)" : undefined),
  validate: (address, old) => {
    const found = new Findings();
    const parent = specOf(address).parentRef;
    if (!isObject(parent)) found.required("spec.parentRef");
    else
      for (const field of ["resource", "name"])
        if (asString(parent[field]) === "") found.required(`spec.parentRef.${field}`);
    if (old !== undefined && !deepEqual(parent, specOf(old).parentRef))
      found.invalid("spec.parentRef", parent, "field is immutable");
    return found.list;
  },
};

export const serviceCidrStrategy: Strategy = {
  prepareCreate: (object) => {
    object.status = {};
  },
  validate: (object, old, subresource) => {
    if (subresource === "status") return [];
    const found = new Findings();
    const cidrs = asArray(specOf(object).cidrs).map(asString);
    if (cidrs.length === 0) found.required("spec.cidrs", "at least one CIDR required");
    if (cidrs.length > 2) found.invalid("spec.cidrs", cidrs, "may only hold up to 2 values");
    for (const [index, cidr] of cidrs.entries()) found.holds(`spec.cidrs[${index}]`, cidr, checkCidr);
    if (old !== undefined && cidrs[0] !== asArray(specOf(old).cidrs)[0])
      found.invalid("spec.cidrs[0]", cidrs[0], "field is immutable");
    return found.list;
  },
};
