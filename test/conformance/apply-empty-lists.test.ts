/** Server-side apply of lists that become empty: the merge keeps no empty list by keys, unless the schema has it as a default. */
import { expect } from "vitest";
import { area, type CaseTools, type Definition } from "./support/conformance-case.ts";

const item = { type: "object", properties: { id: { type: "string" }, size: { type: "integer" } }, required: ["id"] };
const listMap = { type: "array", items: item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] };
const hardware = {
  type: "object",
  required: ["gpus"],
  properties: { gpus: { ...listMap, default: [] }, summary: { type: "string" } },
};
const schema = {
  type: "object",
  properties: {
    status: {
      type: "object",
      default: { phase: "Pending" },
      properties: { phase: { type: "string" }, gpus: listMap, hardware },
    },
    spec: { type: "object", properties: { gpus: listMap, tags: { type: "array", items: { type: "string" } } } },
  },
};

async function aDefinition(tools: CaseTools): Promise<{ definition: Definition; path: string }> {
  const definition = await tools.define({ kind: "Box", schema, version: { subresources: { status: {} } } });
  return { definition, path: `${await definition.path()}/one` };
}

const apply = (tools: CaseTools, path: string, manager: string, body: object) =>
  tools.api.patch(`${path}?fieldManager=${manager}`, "apply", body);

area("server-side apply of empty lists", (conformance) => {
  for (const where of ["spec", "status"] as const) {
    conformance(`a list by keys that is applied empty over one's own items is gone, in ${where}`, async (tools) => {
      const { definition, path } = await aDefinition(tools);
      const head = { apiVersion: definition.apiVersion(), kind: "Box", metadata: { name: "one" } };
      const at = where === "status" ? `${path}/status` : path;
      const wrap = (gpus: object[]) => ({ ...head, [where]: { gpus } });
      await apply(tools, path, "owner", head).expect(201);
      await apply(tools, at, "agent", wrap([{ id: "a", size: 1 }])).expect(200);
      const emptied = await apply(tools, at, "agent", wrap([])).expect(200);
      expect(emptied[where]?.gpus).toBeUndefined();
    });
  }

  conformance("a default brings a list back that was applied empty, before it is required", async (tools) => {
    const { definition, path } = await aDefinition(tools);
    const head = { apiVersion: definition.apiVersion(), kind: "Box", metadata: { name: "one" } };
    const wrap = (gpus: object[]) => ({ ...head, status: { hardware: { gpus, summary: "some" } } });
    await apply(tools, path, "owner", head).expect(201);
    await apply(tools, `${path}/status`, "agent", wrap([{ id: "a", size: 1 }])).expect(200);
    const emptied = await apply(tools, `${path}/status`, "agent", wrap([])).expect(200);
    expect(emptied.status.hardware).toEqual({ gpus: [], summary: "some" });
  });

  conformance("items of another manager stay in a list that one applies empty", async (tools) => {
    const { definition, path } = await aDefinition(tools);
    const head = { apiVersion: definition.apiVersion(), kind: "Box", metadata: { name: "one" } };
    await apply(tools, path, "first", { ...head, spec: { gpus: [{ id: "a", size: 1 }] } }).expect(201);
    await apply(tools, path, "second", { ...head, spec: { gpus: [{ id: "b", size: 2 }] } }).expect(200);
    const emptied = await apply(tools, path, "second", { ...head, spec: { gpus: [] } }).expect(200);
    expect(emptied.spec.gpus).toEqual([{ id: "a", size: 1 }]);
  });

  conformance("an atomic list that is applied empty is there", async (tools) => {
    const { definition, path } = await aDefinition(tools);
    const head = { apiVersion: definition.apiVersion(), kind: "Box", metadata: { name: "one" } };
    await apply(tools, path, "first", { ...head, spec: { tags: ["a"] } }).expect(201);
    const emptied = await apply(tools, path, "first", { ...head, spec: { tags: [] } }).expect(200);
    expect(emptied.spec).toEqual({ tags: [] });
  });

  conformance("a status has the default of its schema from its creation on", async (tools) => {
    const { definition, path } = await aDefinition(tools);
    const box = {
      apiVersion: definition.apiVersion(),
      kind: "Box",
      metadata: { name: "one" },
      status: { phase: "Mine" },
    };
    const made = await tools.api.post(await definition.path(), box).expect(201);
    expect(made.status).toEqual({ phase: "Pending" });
    expect((await tools.api.get(path).expect(200)).status).toEqual({ phase: "Pending" });
  });
});
