/** The checks of the Pod Security Standard "baseline", as of Kubernetes 1.36: no known escalation of privileges. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../../json-value.ts";
import {
  containersOf,
  hasOwnUsers,
  nameOf,
  naming,
  type PodCheck,
  plural,
  securityOf,
  setters,
  sortedQuote,
} from "./findings.ts";

const defaultCapabilities: ReadonlySet<string> = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  ),
);
const safeSysctls: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  ...(
    "ip_local_port_range tcp_syncookies ping_group_range ip_unprivileged_port_start ip_local_reserved_ports " +
    "tcp_keepalive_time tcp_fin_timeout tcp_keepalive_intvl tcp_keepalive_probes tcp_rmem tcp_wmem"
  )
    .split(" ")
    .map((name) => `net.ipv4.${name}`),
]);
const selinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

const hostNamespaces: PodCheck = ({ spec }) => {
  const used = ["hostNetwork", "hostPID", "hostIPC"].filter((name) => spec[name] === true);
  if (used.length === 0) return undefined;
  return { reason: "host namespaces", detail: used.map((name) => `${name}=true`).join(", ") };
};

const appArmorProfile: PodCheck = (pod) => {
  const typeOf = (holder: JsonObject) => asObject(securityOf(holder).appArmorProfile).type;
  const isBad = (type: unknown) => type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
  const bad = containersOf(pod).filter((container) => isBad(typeOf(container)));
  const podIsBad = isBad(typeOf(pod.spec));
  const annotations = Object.entries(pod.annotations)
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && !/^$|^runtime\/default$|^localhost\//.test(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const types = new Set([...(podIsBad ? [pod.spec] : []), ...bad].map((holder) => String(typeOf(holder))));
  const values = [...[...types].sort(), ...annotations];
  if (values.length === 0) return undefined;
  const who = [
    setters(podIsBad, bad.map(nameOf)),
    ...(annotations.length > 0 ? [plural(annotations.length, "annotation")] : []),
  ];
  return {
    reason: plural(values.length, "forbidden AppArmor profile"),
    detail: `${who.filter((one) => one !== "").join(" and ")} must not set AppArmor profile type to ${values.map((one) => `"${one}"`).join(", ")}`,
  };
};

const capabilities: PodCheck = (pod) => {
  const extra = (container: JsonObject) =>
    asArray(asObject(securityOf(container).capabilities).add)
      .map(asString)
      .filter((name) => !defaultCapabilities.has(name));
  const bad = containersOf(pod).filter((container) => extra(container).length > 0);
  if (bad.length === 0) return undefined;
  const names = sortedQuote(bad.flatMap(extra));
  return {
    reason: "non-default capabilities",
    detail: `${naming(bad.map(nameOf))} must not include ${names} in securityContext.capabilities.add`,
  };
};

export const hostPathVolumes: PodCheck = ({ spec }) => {
  const bad = asArray(spec.volumes)
    .map(asObject)
    .filter((volume) => isObject(volume.hostPath));
  if (bad.length === 0) return undefined;
  return { reason: "hostPath volumes", detail: naming(bad.map(nameOf), "volume") };
};

const hostPorts: PodCheck = (pod) => {
  const portsOf = (container: JsonObject) =>
    asArray(container.ports)
      .map((port) => Number(asObject(port).hostPort ?? 0))
      .filter((port) => port !== 0);
  const bad = containersOf(pod).filter((container) => portsOf(container).length > 0);
  if (bad.length === 0) return undefined;
  const ports = [...new Set(bad.flatMap(portsOf).map(String))].sort();
  const uses = plural(bad.length, "uses", "use");
  return {
    reason: "hostPort",
    detail: `${naming(bad.map(nameOf))} ${uses} ${plural(ports.length, "hostPort")} ${ports.join(", ")}`,
  };
};

const hostProbes: PodCheck = (pod) => {
  const hostsOf = (container: JsonObject) => {
    const { postStart, preStop } = asObject(container.lifecycle);
    const handlers = [container.livenessProbe, container.readinessProbe, container.startupProbe, postStart, preStop];
    return handlers
      .flatMap((handler) => [asObject(handler).httpGet, asObject(handler).tcpSocket])
      .map((action) => asString(asObject(action).host))
      .filter((host) => host !== "");
  };
  const bad = containersOf(pod).filter((container) => hostsOf(container).length > 0);
  if (bad.length === 0) return undefined;
  const hosts = [...new Set(bad.flatMap(hostsOf))];
  const uses = plural(bad.length, "uses", "use");
  const who = `${plural(bad.length, "container")} ${sortedQuote(bad.map(nameOf))}`;
  const what = plural(hosts.length, "probe or lifecycle host");
  return { reason: "probe or lifecycle host", detail: `${who} ${uses} ${what} ${sortedQuote(hosts)}` };
};

const privileged: PodCheck = (pod) => {
  const bad = containersOf(pod).filter((container) => securityOf(container).privileged === true);
  if (bad.length === 0) return undefined;
  return { reason: "privileged", detail: `${naming(bad.map(nameOf))} must not set securityContext.privileged=true` };
};

export const procMountStrict: PodCheck = (pod) => {
  const typeOf = (container: JsonObject) => securityOf(container).procMount;
  const bad = containersOf(pod).filter((one) => typeOf(one) !== undefined && typeOf(one) !== "Default");
  if (bad.length === 0) return undefined;
  const types = sortedQuote(bad.map((container) => String(typeOf(container))));
  return {
    reason: "procMount",
    detail: `${naming(bad.map(nameOf))} must not set securityContext.procMount to ${types}`,
  };
};

export const procMount: PodCheck = (pod) => (hasOwnUsers(pod) ? undefined : procMountStrict(pod));

const seLinuxOptions: PodCheck = (pod) => {
  const optionsOf = (holder: JsonObject) => asObject(securityOf(holder).seLinuxOptions);
  const badType = (holder: JsonObject) => !selinuxTypes.includes(asString(optionsOf(holder).type));
  const sets = (field: string) => (holder: JsonObject) => asString(optionsOf(holder)[field]) !== "";
  const isBad = (holder: JsonObject) => badType(holder) || sets("user")(holder) || sets("role")(holder);
  const bad = containersOf(pod).filter(isBad);
  const all = [...(isBad(pod.spec) ? [pod.spec] : []), ...bad];
  if (all.length === 0) return undefined;
  const types = [...new Set(all.filter(badType).map((holder) => asString(optionsOf(holder).type)))];
  const data = [
    ...(types.length > 0 ? [`${plural(types.length, "type")} ${sortedQuote(types)}`] : []),
    ...["user", "role"].filter((field) => all.some(sets(field))).map((field) => `${field} may not be set`),
  ];
  const who = setters(isBad(pod.spec), bad.map(nameOf));
  return {
    reason: "seLinuxOptions",
    detail: `${who} set forbidden securityContext.seLinuxOptions: ${data.join("; ")}`,
  };
};

/** Explicitly set to something else than what the standards allow. */
export const seccompProfile: PodCheck = (pod) => {
  const typeOf = (holder: JsonObject) => asObject(securityOf(holder).seccompProfile).type;
  const isBad = (holder: JsonObject) =>
    typeOf(holder) !== undefined && typeOf(holder) !== "Localhost" && typeOf(holder) !== "RuntimeDefault";
  const bad = containersOf(pod).filter(isBad);
  const all = [...(isBad(pod.spec) ? [pod.spec] : []), ...bad];
  if (all.length === 0) return undefined;
  const types = sortedQuote(all.map((holder) => String(typeOf(holder))));
  const who = setters(isBad(pod.spec), bad.map(nameOf));
  return { reason: "seccompProfile", detail: `${who} must not set securityContext.seccompProfile.type to ${types}` };
};

const sysctls: PodCheck = ({ spec }) => {
  const names = asArray(securityOf(spec).sysctls).map((one) => asString(asObject(one).name));
  const bad = names.filter((name) => !safeSysctls.has(name));
  return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
};

const windowsHostProcess: PodCheck = (pod) => {
  const isBad = (holder: JsonObject) => asObject(securityOf(holder).windowsOptions).hostProcess === true;
  const bad = containersOf(pod).filter(isBad);
  if (!isBad(pod.spec) && bad.length === 0) return undefined;
  const who = setters(isBad(pod.spec), bad.map(nameOf));
  return { reason: "hostProcess", detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};

/** By identity; a check of a stricter level may take the place of one of these. In the order of their identities. */
export const baselineChecks: Readonly<Record<string, PodCheck>> = {
  appArmorProfile,
  capabilities_baseline: capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle: hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  seccompProfile_baseline: seccompProfile,
  sysctls,
  windowsHostProcess,
};
