import { describe, expect, it } from "vitest";
import type { Container } from "../../../../src/embedded/kubelet/core-types.ts";
import { buildDeclaredEnvironment } from "../../../../src/embedded/kubelet/environment.ts";
import { expandVariables } from "../../../../src/embedded/kubelet/expansion.ts";
import { aContainer, aPod, facts, sourcesOf } from "./builders.ts";

describe("expandVariables", () => {
  const values: Record<string, string> = { A: "1", B: "two" };
  const cases = [
    { text: "$(A)-$(B)", want: "1-two" },
    { text: "$(UNKNOWN)", want: "$(UNKNOWN)" },
    { text: "$$(A)", want: "$(A)" },
    { text: "$$$(A)", want: "$1" },
    { text: "$A {A}", want: "$A {A}" },
    { text: "$(A", want: "$(A" },
    { text: "$(A)$(A)", want: "11" },
  ];
  it.each(cases)("expands $text to $want", ({ text, want }) => {
    expect(expandVariables(text, (name) => values[name])).toBe(want);
  });
});

function build(container: Partial<Container>, sources = sourcesOf()) {
  const spec = aContainer(container);
  const pod = aPod(
    { containers: [spec], serviceAccountName: "robot" },
    { labels: { app: "x", zone: "b" }, annotations: { note: 'say "hi"' } },
  );
  return buildDeclaredEnvironment({ pod, container: spec, sources, facts });
}

describe("buildDeclaredEnvironment", () => {
  it("lets a variable refer to those before it and not to those after it", () => {
    const env = build({
      env: [
        { name: "A", value: "$(B)" },
        { name: "B", value: "b" },
        { name: "C", value: "$(B)c" },
      ],
    });
    expect(env).toEqual({ A: "$(B)", B: "b", C: "bc" });
  });

  it("takes whole config maps and secrets with a prefix, and env wins over them", () => {
    const sources = sourcesOf({ conf: { K: "from-map", "bad=key": "x" } }, { pass: { S: "hidden" } });
    const env = build(
      {
        envFrom: [{ prefix: "P_", configMapRef: { name: "conf" } }, { secretRef: { name: "pass" } }],
        env: [{ name: "S", value: "mine" }],
      },
      sources,
    );
    expect(env).toEqual({ P_K: "from-map", S: "mine" });
  });

  it("leaves an optional reference that leads nowhere unset", () => {
    const env = build({
      envFrom: [{ configMapRef: { name: "none", optional: true } }],
      env: [{ name: "X", valueFrom: { secretKeyRef: { name: "none", key: "k", optional: true } } }],
    });
    expect(env).toEqual({});
  });

  const missing: { name: string; container: Partial<Container>; want: RegExp }[] = [
    {
      name: "a missing config map",
      container: { envFrom: [{ configMapRef: { name: "conf" } }] },
      want: /configmap "conf" not found/,
    },
    {
      name: "a missing secret key",
      container: { env: [{ name: "X", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
      want: /couldn't find key k in secret "s"/,
    },
    {
      name: "an unknown field",
      container: { env: [{ name: "X", valueFrom: { fieldRef: { fieldPath: "spec.hostname" } } }] },
      want: /fieldRef 'spec.hostname' is not known/,
    },
  ];
  it.each(missing)("refuses $name", ({ container, want }) => {
    expect(() => build(container, sourcesOf({}, { s: { other: "" } }))).toThrow(want);
  });

  const fields = [
    { fieldPath: "metadata.name", want: "p" },
    { fieldPath: "metadata.namespace", want: "ns" },
    { fieldPath: "metadata.uid", want: "uid-1" },
    { fieldPath: "metadata.labels", want: 'app="x"\nzone="b"' },
    { fieldPath: "metadata.labels['zone']", want: "b" },
    { fieldPath: "metadata.labels['none']", want: "" },
    { fieldPath: "metadata.annotations", want: 'note="say \\"hi\\""' },
    { fieldPath: "spec.nodeName", want: "node-a" },
    { fieldPath: "spec.serviceAccountName", want: "robot" },
    { fieldPath: "status.podIP", want: "127.0.0.1" },
    { fieldPath: "status.hostIP", want: "127.0.0.1" },
  ];
  it.each(fields)("gives the field $fieldPath", ({ fieldPath, want }) => {
    expect(build({ env: [{ name: "F", valueFrom: { fieldRef: { fieldPath } } }] })).toEqual({ F: want });
  });

  const resources = [
    { resource: "limits.cpu", divisor: undefined, want: "2" },
    { resource: "limits.cpu", divisor: "1m", want: "1500" },
    { resource: "requests.memory", divisor: "1Mi", want: "512" },
    { resource: "requests.cpu", divisor: "1m", want: "1500" },
    { resource: "limits.memory", divisor: "1Gi", want: "8" },
  ];
  it.each(resources)("gives $resource in units of $divisor as $want", ({ resource, divisor, want }) => {
    const selector = divisor === undefined ? { resource } : { resource, divisor };
    const env = build({
      resources: { limits: { cpu: "1500m" }, requests: { memory: "512Mi" } },
      env: [{ name: "R", valueFrom: { resourceFieldRef: selector } }],
    });
    expect(env).toEqual({ R: want });
  });
});
