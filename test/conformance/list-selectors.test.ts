/** Label and field selectors of lists. */
import { expect } from "vitest";
import { area, type Body, type CaseTools } from "./support/conformance-case.ts";

const names = (list: Body) => list.items.map((item: Body) => item.metadata.name);

const labelled = {
  plain: {},
  front: { tier: "front", size: "2" },
  back: { tier: "back", size: "10", "example.com/team": "blue" },
  empty: { tier: "" },
};

async function makeSecrets({ api, path }: CaseTools) {
  const secrets = await path("secrets");
  for (const [name, labels] of Object.entries(labelled))
    await api.post(secrets, { apiVersion: "v1", kind: "Secret", metadata: { name, labels } }).expect(201);
  return secrets;
}

const selections: readonly (readonly [selector: string, want: readonly string[]])[] = [
  ["tier=front", ["front"]],
  ["tier==front", ["front"]],
  ["tier!=front", ["back", "empty", "plain"]],
  ["tier in (front,back)", ["back", "front"]],
  ["tier notin (front,back)", ["empty", "plain"]],
  ["tier", ["back", "empty", "front"]],
  ["!tier", ["plain"]],
  ["tier=", ["empty"]],
  ["tier in ()", ["empty"]],
  ["tier in (front,)", ["empty", "front"]],
  ["size>5", ["back"]],
  ["size<5", ["front"]],
  ["example.com/team=blue", ["back"]],
  ["tier,!example.com/team , size", ["front"]],
  ["tier=front,tier=back", []],
];

const refusals: readonly (readonly [selector: string, message: string])[] = [
  ["a===b", "unable to parse requirement: found '=', expected: identifier"],
  ["a in b", "unable to parse requirement: found 'b' expected: '('"],
  ["a,", "found '', expected: identifier after ','"],
  ["-a=b", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric'],
  ["a=-b", 'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be'],
  ["a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators"],
];

area("list selectors", (conformance) => {
  for (const [selector, want] of selections)
    conformance(`the label selector "${selector}"`, async (tools) => {
      const query = `labelSelector=${encodeURIComponent(selector)}`;
      expect(names(await tools.api.get(`${await makeSecrets(tools)}?${query}`).expect(200))).toEqual(want);
    });

  for (const [selector, message] of refusals)
    conformance(`the malformed label selector "${selector}" is a 400 that says where`, async ({ api, path }) => {
      const query = `labelSelector=${encodeURIComponent(selector)}`;
      const status = await api.get(`${await path("secrets")}?${query}`).refuse(400, "BadRequest");
      expect(status.message).toContain(message);
    });

  conformance("a field selector by name", async (tools) => {
    const secrets = await makeSecrets(tools);
    expect(names(await tools.api.get(`${secrets}?fieldSelector=metadata.name%3Dback`).expect(200))).toEqual(["back"]);
    expect(names(await tools.api.get(`${secrets}?fieldSelector=metadata.name%3D%3Dnone`).expect(200))).toEqual([]);
  });

  conformance("a field selector that leaves one name out", async (tools) => {
    const list = await tools.api.get(`${await makeSecrets(tools)}?fieldSelector=metadata.name!%3Dback`).expect(200);
    expect(names(list)).toEqual(["empty", "front", "plain"]);
  });

  conformance("a field selector by namespace picks it from all", async (tools) => {
    await makeSecrets(tools);
    const query = `fieldSelector=metadata.namespace%3D${await tools.namespace()}`;
    expect(names(await tools.api.get(`/api/v1/secrets?${query}`).expect(200))).toEqual(Object.keys(labelled).sort());
  });

  conformance("field and label selectors both hold", async (tools) => {
    const secrets = await makeSecrets(tools);
    const query = "labelSelector=tier&fieldSelector=metadata.name!%3Dback";
    expect(names(await tools.api.get(`${secrets}?${query}`).expect(200))).toEqual(["empty", "front"]);
  });

  conformance("a field that the kind does not offer is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    const status = await api.get(`${maps}?fieldSelector=data.n%3D1`).refuse(400, "BadRequest");
    expect(status.message).toBe('"data.n" is not a known field selector: only "metadata.name", "metadata.namespace"');
    const pods = await api.get(`${await path("pods")}?fieldSelector=spec.nope%3D1`).refuse(400, "BadRequest");
    expect(pods.message).toBe("field label not supported: spec.nope");
  });

  conformance("a field selector without an operator is a 400", async ({ api, path }) => {
    const status = await api.get(`${await path("secrets")}?fieldSelector=nonsense`).refuse(400, "BadRequest");
    expect(status.message).toBe("invalid selector: 'nonsense'; can't understand 'nonsense'");
  });

  conformance("secrets are selected by type", async ({ api, path }) => {
    const secrets = await path("secrets");
    const typed = (name: string, type: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name }, type });
    await api.post(secrets, typed("one", "Opaque")).expect(201);
    await api.post(secrets, typed("two", "example.com/other")).expect(201);
    const list = await api.get(`${secrets}?fieldSelector=type%3Dexample.com/other`).expect(200);
    expect(names(list)).toEqual(["two"]);
  });

  conformance("custom resources know name and namespace, and what they declare selectable", async ({ api, define }) => {
    const gadgets = await define({
      kind: "Gadget",
      schema: {
        type: "object",
        properties: { spec: { type: "object", properties: { colour: { type: "string" } } } },
      },
      version: { selectableFields: [{ jsonPath: ".spec.colour" }] },
    });
    const path = await gadgets.path();
    for (const [name, colour] of [
      ["one", "red"],
      ["two", "blue"],
    ]) {
      const body = { apiVersion: gadgets.apiVersion(), kind: "Gadget", metadata: { name }, spec: { colour } };
      await api.post(path, body).expect(201);
    }
    expect(names(await api.get(`${path}?fieldSelector=spec.colour%3Dblue`).expect(200))).toEqual(["two"]);
    expect(names(await api.get(`${path}?fieldSelector=metadata.name%3Done`).expect(200))).toEqual(["one"]);
    const status = await api.get(`${path}?fieldSelector=spec.size%3D1`).refuse(400, "BadRequest");
    expect(status.message).toContain("field label not supported: spec.size");
  });
});
