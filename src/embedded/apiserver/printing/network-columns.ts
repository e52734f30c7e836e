/** Table columns of networking and discovery. Pure. */
import { asArray, asObject, asString, isObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { loadBalancerAddresses } from "./builtin-columns.ts";
import { ageColumn, column, formatSelector, listSome, nameColumn } from "./common-columns.ts";

export const networkPolicyColumns: readonly Column[] = [
  nameColumn,
  column("Pod-Selector", (object) => formatSelector(specOf(object).podSelector)),
  ageColumn,
];

export const ingressColumns: readonly Column[] = [
  nameColumn,
  column("Class", (object) => specOf(object).ingressClassName ?? "<none>"),
  column("Hosts", hosts),
  column("Address", (object) => loadBalancerAddresses(object).join(",")),
  column("Ports", (object) => (asArray(specOf(object).tls).length > 0 ? "80, 443" : "80")),
  ageColumn,
];

const shown = 3;

function hosts(ingress: KubeObject): string {
  const rules = asArray(specOf(ingress).rules);
  const named = rules.map((rule) => asString(asObject(rule).host)).filter((host) => host !== "");
  if (named.length === 0) return "*";
  const list = named.slice(0, shown).join(",");
  return named.length >= shown && rules.length > shown ? `${list} + ${rules.length - shown} more...` : list;
}

const defaultClass = "ingressclass.kubernetes.io/is-default-class";

export const ingressClassColumns: readonly Column[] = [
  {
    ...nameColumn,
    value: ({ metadata }) => `${metadata.name}${metadata.annotations?.[defaultClass] === "true" ? " (default)" : ""}`,
  },
  column("Controller", (object) => specOf(object).controller ?? ""),
  column("Parameters", (object) => {
    const { parameters } = specOf(object);
    if (!isObject(parameters)) return "<none>";
    const group = parameters.apiGroup === undefined ? "" : `.${asString(parameters.apiGroup)}`;
    return `${asString(parameters.kind)}${group}/${asString(parameters.name)}`;
  }),
  ageColumn,
];

export const endpointSliceColumns: readonly Column[] = [
  nameColumn,
  column("AddressType", (object) => object.addressType ?? ""),
  column("Ports", (object) => {
    const ports = asArray(object.ports).map(asObject);
    return someOrUnset(ports.map((port) => String(port.port ?? port.name ?? "*")));
  }),
  column("Endpoints", (object) =>
    someOrUnset(asArray(object.endpoints).flatMap((one) => asArray(asObject(one).addresses).map(asString))),
  ),
  ageColumn,
];

const someOrUnset = (list: readonly string[]) => (list.length === 0 ? "<unset>" : listSome(list, shown));

export const serviceCidrColumns: readonly Column[] = [
  nameColumn,
  column("CIDRs", (object) => asArray(specOf(object).cidrs).join(",")),
  ageColumn,
];

export const ipAddressColumns: readonly Column[] = [
  nameColumn,
  column("ParentRef", (object) => {
    const parent = specOf(object).parentRef;
    if (!isObject(parent)) return "<none>";
    const group = asString(parent.group);
    const namespace = asString(parent.namespace);
    const resource = `${asString(parent.resource)}${group === "" ? "" : `.${group}`}`.toLowerCase();
    return `${resource}${namespace === "" ? "" : `/${namespace}`}/${asString(parent.name)}`;
  }),
];
