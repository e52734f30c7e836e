/** Requests and limits of containers: names, quantities, and requests that stay within limits. Pure. */

import { compareQuantities, isWhole } from "../../quantity.ts";
import { asArray, asObject, asString } from "../json-value.ts";
import { qualifiedNameProblems } from "../registry/qualified-name.ts";
import { eachItem, type Findings } from "./findings.ts";

const standard = new Set(["cpu", "memory", "ephemeral-storage"]);
const isHugePage = (name: string) => name.startsWith("hugepages-");
const isNative = (name: string) => !name.includes("/") || name.includes("kubernetes.io/");
const isWholeOnly = (name: string) => !isNative(name) || name === "pods" || name === "services";
const mayOvercommit = (name: string) => isNative(name) && !isHugePage(name);

export function checkResources(requirements: unknown, path: string, found: Findings): void {
  const limits = asObject(asObject(requirements).limits);
  const requests = asObject(asObject(requirements).requests);
  for (const [name, quantity] of Object.entries(limits)) checkEntry(name, quantity, `${path}.limits[${name}]`, found);
  for (const [name, quantity] of Object.entries(requests)) {
    checkEntry(name, quantity, `${path}.requests[${name}]`, found);
    const limit = limits[name];
    if (limit === undefined) {
      if (!mayOvercommit(name)) found.required(`${path}.limits`, "Limit must be set for non overcommitable resources");
      continue;
    }
    const order = compareQuantities(quantity, limit);
    if (order !== 0 && !mayOvercommit(name))
      found.invalid(`${path}.requests`, quantity, `must be equal to ${name} limit of ${limit}`);
    else if (order > 0)
      found.invalid(`${path}.requests`, quantity, `must be less than or equal to ${name} limit of ${limit}`);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePage) && !names.includes("cpu") && !names.includes("memory"))
    found.forbidden(path, "HugePages require cpu or memory");
}

function checkEntry(name: string, quantity: unknown, path: string, found: Findings): void {
  checkContainerResourceName(name, path, found);
  checkQuantity(name, quantity, path, found);
}

export function checkQuantity(name: string, quantity: unknown, path: string, found: Findings): void {
  if (compareQuantities(quantity, "0") < 0) found.invalid(path, quantity, "must be greater than or equal to 0");
  if (isWholeOnly(name) && !isWhole(quantity)) found.invalid(path, quantity, "must be an integer");
}

function checkContainerResourceName(name: string, path: string, found: Findings): void {
  const [problem] = qualifiedNameProblems(name);
  if (problem !== undefined) {
    found.invalid(path, name, problem);
    return;
  }
  if (!name.includes("/")) {
    if (standard.has(name) || isHugePage(name)) return;
    found.invalid(path, name, "must be a standard resource type or fully qualified");
    found.invalid(path, name, "must be a standard resource for containers");
    return;
  }
  if (!isNative(name) && (name.startsWith("requests.") || qualifiedNameProblems(`requests.${name}`).length > 0))
    found.invalid(path, name, "doesn't follow extended resource name standard");
}

/** Names of claims in `resources.claims` must be those of the pod. */
export function checkResourceClaims(claims: unknown, known: ReadonlySet<string>, path: string, found: Findings): void {
  const seen = new Set<string>();
  eachItem(asArray(claims), path, (claim, at) => {
    const name = asString(claim.name);
    const id = `${name}/${asString(claim.request)}`;
    if (name === "") found.required(`${at}.name`);
    else if (seen.has(id)) found.duplicate(at, name);
    else if (!known.has(name)) found.notFound(at, name);
    seen.add(id);
  });
}
