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
  const chart = () => render(helms[0]?.binary ?? "", hubValues).objects;
  const base = () =>
    readdirSync(new URL("manifests/base/", root))
      .filter((name) => name.startsWith("rbac"))
      .flatMap((name) => parseAllDocuments(readFileSync(new URL(`manifests/base/${name}`, root), "utf8")))
      .map((document) => document.toJS() as KubeObject);

  test.each([
    ["Operator", /-operator/],
    ["Agent", /-agent/],
    ["People", /-(view|edit)$/],
  ])("of %s are those of docs/rbac.md, each with its reason", (section, role) => {
    const rights = rightsOf(chart(), role);
    expect(rights.length).toBeGreaterThan(0);
    expect(documented(section)).toEqual(rights);
  });

  test("of manifests/base are among those of the chart", () => {
    for (const role of [/-operator/, /-agent/]) {
      const given = rightsOf(chart(), role);
      expect(rightsOf(base(), role).filter((right) => !given.includes(right))).toEqual([]);
    }
  });

  test("are none at all for workers and validators, and none is a wildcard", () => {
    const objects = chart();
    const subjects = JSON.stringify(objects.filter(({ kind }) => kind.endsWith("Binding")));
    expect(subjects).not.toContain("-member");
    expect(rightsOf(objects, /./).filter((right) => right.includes("*"))).toEqual([]);
  });
});
