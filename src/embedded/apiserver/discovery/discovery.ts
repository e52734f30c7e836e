/** The discovery documents: what groups, versions and resources there are. Aggregated (v2) and by group version. Pure. */

import { createHash } from "node:crypto";
import { apiVersionOf, type ResourceKind, type SubresourceInfo, standardVerbs } from "../registry/kind.ts";
import type { KindRegistry } from "../registry/kind-registry.ts";
import { type ReviewResource, reviewResources } from "./review-resources.ts";
import { compareKubeVersions } from "./version-priority.ts";

export function groupVersions(kinds: KindRegistry): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  const add = (group: string, version: string) => {
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) groups.set(group, [...versions, version]);
  };
  for (const kind of kinds.all()) add(kind.group, kind.version);
  for (const review of reviewResources) add(review.group, "v1");
  for (const [group, versions] of groups) groups.set(group, versions.toSorted(compareKubeVersions));
  return groups;
}

export function apiVersions(serverAddress: string): object {
  const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress }];
  return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs };
}

export function groupList(kinds: KindRegistry): object {
  const groups = [...groupVersions(kinds)]
    .filter(([group]) => group !== "")
    .map(([group, versions]) => describeGroup(group, versions));
  return { kind: "APIGroupList", apiVersion: "v1", groups };
}

export function groupDocument(kinds: KindRegistry, group: string): object | undefined {
  const versions = groupVersions(kinds).get(group);
  return versions === undefined || group === ""
    ? undefined
    : { kind: "APIGroup", apiVersion: "v1", ...describeGroup(group, versions) };
}

function describeGroup(group: string, versions: readonly string[]) {
  const described = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: described, preferredVersion: described[0] };
}

export function resourceList(kinds: KindRegistry, group: string, version: string): object | undefined {
  if (groupVersions(kinds).get(group)?.includes(version) !== true) return undefined;
  const served = kinds.all().filter((kind) => kind.group === group && kind.version === version);
  const resources = [...served.flatMap(describeResource), ...reviewsOf(group).map(describeReview)];
  const isBuiltin = served.some((kind) => kind.builtin) || reviewsOf(group).length > 0;
  if (isBuiltin) resources.sort((a, b) => (a.name < b.name ? -1 : 1));
  // The oldest group answers in the oldest form, which has no apiVersion.
  const form = group === "" ? {} : { apiVersion: "v1" };
  return { kind: "APIResourceList", ...form, groupVersion: apiVersionOf(group, version), resources };
}

function reviewsOf(group: string) {
  return reviewResources.filter((review) => review.group === group);
}

interface NamedResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
}

function describeReview(review: ReviewResource): NamedResource {
  return {
    name: review.plural,
    singularName: review.kind.toLowerCase(),
    namespaced: review.namespaced,
    kind: review.kind,
    verbs: ["create"],
  };
}

/** Tells clients whether what is stored under two versions is stored alike. */
function storageVersionHash({ group, version, kind }: ResourceKind): string {
  return createHash("sha256").update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString("base64");
}

function describeResource(kind: ResourceKind): NamedResource[] {
  const base = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: standardVerbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    storageVersionHash: storageVersionHash(kind),
  };
  const subresources = subresourcesOf(kind).map(({ name, ...info }) => ({
    name: `${kind.plural}/${name}`,
    singularName: "",
    namespaced: kind.namespaced,
    ...info,
  }));
  return [base, ...subresources];
}

interface NamedSubresource extends SubresourceInfo {
  readonly name: string;
}

function subresourcesOf(kind: ResourceKind): readonly NamedSubresource[] {
  const verbs = ["get", "patch", "update"];
  const status = kind.hasStatus ? [{ name: "status", kind: kind.kind, verbs }] : [];
  const scale =
    kind.scale === undefined ? [] : [{ name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs }];
  const others = Object.entries(kind.subresources).map(([name, info]) => ({ name, ...info }));
  return [...status, ...scale, ...others];
}

/** `apidiscovery.k8s.io/v2`: everything at once. `legacy` asks for the core group, else for all others. */
export function aggregatedDiscovery(kinds: KindRegistry, legacy: boolean): object {
  const groups = [...groupVersions(kinds)].filter(([group]) => (group === "") === legacy);
  const items = groups.map(([group, versions]) => ({
    metadata: { name: group },
    versions: versions.map((version) => aggregatedVersion(kinds, group, version)),
  }));
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}

function aggregatedVersion(kinds: KindRegistry, group: string, version: string): object {
  const served = kinds.all().filter((kind) => kind.group === group && kind.version === version);
  const reviews = reviewsOf(group).map((review) => ({
    resource: review.plural,
    responseKind: { group, version, kind: review.kind },
    scope: review.namespaced ? "Namespaced" : "Cluster",
    singularResource: review.kind.toLowerCase(),
    verbs: ["create"],
  }));
  return { version, resources: [...served.map(aggregatedResource), ...reviews], freshness: "Current" };
}

function aggregatedResource(kind: ResourceKind): object {
  const subresources = subresourcesOf(kind).map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group ?? kind.group, version: sub.version ?? kind.version, kind: sub.kind },
    verbs: sub.verbs,
  }));
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: standardVerbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}
