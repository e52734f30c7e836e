/** docs/rbac.md has a line for every right that the chart gives, and no other; manifests/base gives no more than the chart. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../src/kube/object.ts";
import { helms, hubValues, render } from "./helm.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const root = new URL("../../", import.meta.url);

function rightsOf(objects: readonly KubeObject[], role: RegExp): string[] {
  const roles = objects.filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && role.test(metadata.name));
  const rules = roles.flatMap((one) =>
    (one as KubeObject & { rules: Rule[] }).rules.map((rule) => ({ kind: one.kind, rule })),
  );
  return rules
    .flatMap(({ kind, rule }) =>
      rule.resources.map(
        (resource) => `${kind} ${rule.apiGroups.join()} ${resource} ${[...rule.verbs].sort().join(" ")}`,
      ),
    )
    .sort();
}

/** Rows of the table under a heading: role kind, group, resource, verbs, why. */
function documented(section: string): string[] {
  const text = readFileSync(new URL("docs/rbac.md", root), "utf8");
  const part = text.split(/^## /m).find((one) => one.startsWith(section)) ?? "";
  return [...part.matchAll(/^\| (Role|ClusterRole) \| ([^|]*) \| `([^`]+)` \| ([^|]+) \| ([^|]{20,}) \|$/gm)]
    .map(
      ([, kind, group = "", resource, verbs = ""]) =>
        `${kind} ${group.trim() === "core" ? "" : group.trim()} ${resource} ${verbs
          .split(",")
          .map((one) => one.trim())
          .sort()
          .join(" ")}`,
    )
    .sort();
}

describe.runIf(helms.length > 0)("rights", () => {
  const members = [{ name: "l", node: "node-l", mode: "Pod" }];
  const chart = () => render(helms[0]?.binary ?? "", { ...hubValues, members }).objects;
  const base = () =>
    readdirSync(new URL("manifests/base/", root))
      .filter((name) => name.startsWith("rbac"))
      .flatMap((name) => parseAllDocuments(readFileSync(new URL(`manifests/base/${name}`, root), "utf8")))
      .map((document) => document.toJS() as KubeObject);

  test.each([
    ["Operator", /-operator/],
    ["Agent", /-agent/],
    ["Launcher", /-launcher$/],
    ["People", /-(view|edit)$/],
  ])("of %s are those of docs/rbac.md, each with its reason", (section, role) => {
    const rights = rightsOf(chart(), role);
    expect(rights.length).toBeGreaterThan(0);
    expect(documented(section)).toEqual(rights);
  });

  test("of hosting Agents are those of docs/rbac.md, and are given only where Agents are hosted", () => {
    const hosting = render(helms[0]?.binary ?? "", { ...hubValues, agents: { enabled: true } }).objects;
    expect(documented("Hosting")).toEqual(rightsOf(hosting, /-hosting/));
    expect(rightsOf(hosting, /-hosting/)).toHaveLength(7);
    expect(rightsOf(base(), /-hosting/)).toEqual(rightsOf(hosting, /-hosting/));
    expect(rightsOf(chart(), /-hosting/)).toEqual([]);
  });

  test("of manifests/base are among those of the chart", () => {
    for (const role of [/-operator/, /-agent/]) {
      const given = rightsOf(chart(), role);
      expect(rightsOf(base(), role).filter((right) => !given.includes(right))).toEqual([]);
    }
  });

  test("of manifests/launcher are those of the chart's launchers, in the same namespace", () => {
    const text = readFileSync(new URL("manifests/launcher/launcher.yaml", root), "utf8");
    const given = parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
    expect(rightsOf(given, /./)).toEqual(rightsOf(chart(), /-launcher$/));
    const [namespace] = given.filter(({ kind }) => kind === "Namespace");
    expect(namespace?.metadata.name).toBe("inferium-tasks");
    const roles = chart().filter(({ kind, metadata }) => kind === "Role" && metadata.name.endsWith("-launcher"));
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(["inferium-tasks"]);
  });

  test("of launchers are not there without one", () => {
    const { objects } = render(helms[0]?.binary ?? "", hubValues);
    expect(objects.map(({ metadata }) => metadata.name).filter((name) => name.endsWith("-launcher"))).toEqual([]);
  });

  test("are none at all for workers and validators, and none is a wildcard", () => {
    const objects = chart();
    const subjects = JSON.stringify(objects.filter(({ kind }) => kind.endsWith("Binding")));
    expect(subjects).not.toContain("-member");
    expect(rightsOf(objects, /./).filter((right) => right.includes("*"))).toEqual([]);
  });
});
