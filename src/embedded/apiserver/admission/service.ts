/** The service strategy: defaults, a cluster IP out of 10.96.0.0/16, and immutability of that IP. */
import { asArray, asObject, asString } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Strategy, StrategyContext } from "../registry/kind.ts";
import { checkServiceName } from "../registry/names.ts";
import { cause, failure, type StatusCause } from "../status.ts";

export const serviceStrategy: Strategy = {
  checkName: checkServiceName,
  applyDefaults: defaultService,
  prepareCreate: (service, context) => {
    service.status = { loadBalancer: {} };
    allocateIp(service, context);
  },
  prepareUpdate: (service, old) => keepIp(service, old),
  validate: validateService,
  returnsDeletedObject: true,
};

function defaultService(service: KubeObject): void {
  const spec = specOf(service);
  service.spec = spec;
  spec.type ??= "ClusterIP";
  spec.sessionAffinity ??= "None";
  if (spec.type === "ExternalName") return;
  spec.internalTrafficPolicy ??= "Cluster";
  for (const item of asArray(spec.ports)) {
    const port = asObject(item);
    port.protocol ??= "TCP";
    port.targetPort ??= port.port;
  }
}

function allocateIp(service: KubeObject, context: StrategyContext): void {
  const spec = specOf(service);
  if (spec.type === "ExternalName") return;
  if (asString(spec.clusterIP) === "") spec.clusterIP = freeIp(context);
  setIpFields(service, asString(spec.clusterIP));
}

function setIpFields(service: KubeObject, clusterIp: string): void {
  const spec = specOf(service);
  spec.clusterIP = clusterIp;
  spec.clusterIPs = [clusterIp];
  spec.ipFamilies ??= ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
}

/** 10.96.0.1 is the API server's own, as on most clusters. */
function freeIp(context: StrategyContext): string {
  const used = new Set(context.store.list("services").items.map((item) => asString(specOf(item.object).clusterIP)));
  for (let host = 2; host < 65_535; host += 1) {
    const ip = `10.96.${host >> 8}.${host & 255}`;
    if (!used.has(ip)) return ip;
  }
  throw failure(500, "InternalError", "no cluster IP is free in 10.96.0.0/16; delete services that are not used");
}

function keepIp(service: KubeObject, old: KubeObject): void {
  const spec = specOf(service);
  const before = asString(specOf(old).clusterIP);
  if (spec.type !== "ExternalName" && asString(spec.clusterIP) === "" && before !== "") setIpFields(service, before);
}

function validateService(service: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = specOf(service);
  const findings: StatusCause[] = [];
  const ports = asArray(spec.ports).map(asObject);
  if (ports.length === 0 && spec.clusterIP !== "None" && spec.type !== "ExternalName")
    findings.push(cause.required("spec.ports"));
  for (const [index, port] of ports.entries()) {
    const number = Number(port.port);
    if (!(number >= 1 && number <= 65_535)) {
      findings.push(cause.invalid(`spec.ports[${index}].port`, port.port, "must be between 1 and 65535, inclusive"));
    }
    if (ports.length > 1 && asString(port.name) === "") findings.push(cause.required(`spec.ports[${index}].name`));
  }
  const before = asString(specOf(old ?? {}).clusterIP);
  if (before !== "" && spec.type !== "ExternalName" && spec.clusterIP !== before) {
    findings.push(cause.invalid("spec.clusterIP", spec.clusterIP, "field is immutable"));
  }
  return findings;
}
