import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, eventually, startTestServer, type TestServer } from "./api-client.ts";

const maps = "/api/v1/namespaces/default/configmaps";
let one: TestServer;
beforeAll(async () => {
  one = await startTestServer();
});
afterAll(() => one.stop());

async function owner(name: string, metadata: object = {}) {
  const { uid } = (await one.api.post(maps, configMap(name, {}, metadata))).body.metadata;
  return { apiVersion: "v1", kind: "ConfigMap", name, uid };
}
const child = (name: string, owners: object[], metadata: object = {}) =>
  one.api.post(maps, configMap(name, {}, { ownerReferences: owners, ...metadata }));
const exists = async (name: string) => (await one.api.get(`${maps}/${name}`)).status === 200;

describe("owner garbage collection", () => {
  test("a dependent goes after its last owner, and its own dependents after it", async () => {
    const a = await owner("a");
    const { uid } = (await child("a-child", [a])).body.metadata;
    await child("a-grandchild", [{ ...a, name: "a-child", uid }]);
    await one.api.delete(`${maps}/a`);
    await eventually(
      "child and grandchild are gone",
      async () => !(await exists("a-child")) && !(await exists("a-grandchild")),
    );
  });

  test("with a living owner left, only the reference to the dead one is struck", async () => {
    const [b1, b2] = [await owner("b1"), await owner("b2")];
    await child("b-child", [b1, b2]);
    await one.api.delete(`${maps}/b1`);
    await eventually("one reference is left", async () => {
      const refs = (await one.api.get(`${maps}/b-child`)).body.metadata.ownerReferences;
      return refs.length === 1 && refs[0].name === "b2";
    });
  });

  test("Orphan leaves the dependents without the reference", async () => {
    const c = await owner("c");
    await child("c-child", [c]);
    await one.api.delete(`${maps}/c`, { propagationPolicy: "Orphan" });
    await eventually("the owner is gone", async () => !(await exists("c")));
    expect((await one.api.get(`${maps}/c-child`)).body.metadata.ownerReferences ?? []).toEqual([]);
  });

  test("Foreground keeps the owner until blocking dependents are gone", async () => {
    const d = await owner("d");
    await child("d-child", [{ ...d, blockOwnerDeletion: true }], { finalizers: ["example.com/hold"] });
    const deleted = await one.api.delete(`${maps}/d`, { propagationPolicy: "Foreground" });
    expect(deleted.body.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await eventually(
      "the child is being deleted",
      async () => (await one.api.get(`${maps}/d-child`)).body.metadata.deletionTimestamp !== undefined,
    );
    expect(await exists("d")).toBe(true);
    await one.api.patch(`${maps}/d-child`, "merge", { metadata: { finalizers: null } });
    await eventually("both are gone", async () => !(await exists("d")) && !(await exists("d-child")));
  });

  test("an object that is born with a dead owner goes too", async () => {
    const e = await owner("e");
    await one.api.delete(`${maps}/e`);
    await child("e-child", [e]);
    await eventually("the late child is gone", async () => !(await exists("e-child")));
  });

  test("an owner of the same name but another uid is no owner", async () => {
    const f = await owner("f");
    await child("f-child", [{ ...f, uid: "00000000-0000-0000-0000-000000000000" }]);
    await eventually("the child is gone", async () => !(await exists("f-child")));
    expect(await exists("f")).toBe(true);
  });
});
