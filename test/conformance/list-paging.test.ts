/** Lists in pages: `limit` and `continue`. */
import { expect } from "vitest";
import { area, type Body, type CaseTools } from "./support/conformance-case.ts";

const encoded = (text: string) => Buffer.from(text).toString("base64");
const aSecret = (name: string, labels: object = {}) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, labels },
  data: { n: encoded("0") },
});
const names = (list: Body) => list.items.map((item: Body) => item.metadata.name);
const letters = ["a", "b", "c", "d", "e"];

/** Secrets a to e; a, c and e carry `odd=yes`. */
async function makeFive({ api, path }: CaseTools) {
  const secrets = await path("secrets");
  for (const [index, name] of letters.entries())
    await api.post(secrets, aSecret(name, { odd: index % 2 === 0 ? "yes" : "no" })).expect(201);
  return secrets;
}

const tokenOf = (fields: object) => Buffer.from(JSON.stringify(fields)).toString("base64url");

area("list paging", (conformance) => {
  conformance("a page has as many items as asked for, a token, and the number of those that remain", async (tools) => {
    const page = await tools.api.get(`${await makeFive(tools)}?limit=2`).expect(200);
    expect(names(page)).toEqual(["a", "b"]);
    expect(page.metadata.continue).toMatch(/^[\w-]+$/);
    expect(page.metadata.remainingItemCount).toBe(3);
  });

  conformance("the last page has neither token nor remaining count", async (tools) => {
    const secrets = await makeFive(tools);
    const first = await tools.api.get(`${secrets}?limit=3`).expect(200);
    const last = await tools.api.get(`${secrets}?limit=3&continue=${first.metadata.continue}`).expect(200);
    expect(names(last)).toEqual(["d", "e"]);
    expect(last.metadata).not.toHaveProperty("continue");
    expect(last.metadata).not.toHaveProperty("remainingItemCount");
  });

  conformance("a limit that is exactly what is there leaves nothing to continue", async (tools) => {
    const page = await tools.api.get(`${await makeFive(tools)}?limit=5`).expect(200);
    expect(names(page)).toEqual(letters);
    expect(page.metadata).not.toHaveProperty("continue");
  });

  conformance("pages are of one version, whatever is written between them", async (tools) => {
    const { api } = tools;
    const secrets = await makeFive(tools);
    const first = await api.get(`${secrets}?limit=2`).expect(200);
    await api.delete(`${secrets}/c`).expect(200);
    await api.post(secrets, aSecret("bb")).expect(201);
    await api.patch(`${secrets}/d`, "merge", { data: { n: encoded("1") } }).expect(200);
    const second = await api.get(`${secrets}?limit=2&continue=${first.metadata.continue}`).expect(200);
    expect(names(second)).toEqual(["c", "d"]);
    expect(second.items[1].data).toEqual({ n: encoded("0") });
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(second.metadata.remainingItemCount).toBe(1);
    const third = await api.get(`${secrets}?limit=2&continue=${second.metadata.continue}`).expect(200);
    expect(names(third)).toEqual(["e"]);
    expect(third.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  conformance("a token is good more than once", async (tools) => {
    const secrets = await makeFive(tools);
    const first = await tools.api.get(`${secrets}?limit=2`).expect(200);
    const again = `${secrets}?limit=2&continue=${first.metadata.continue}`;
    expect(await tools.api.get(again).expect(200)).toEqual(await tools.api.get(again).expect(200));
  });

  conformance("without a limit a token gives all the rest", async (tools) => {
    const secrets = await makeFive(tools);
    const first = await tools.api.get(`${secrets}?limit=1`).expect(200);
    const rest = await tools.api.get(`${secrets}?continue=${first.metadata.continue}`).expect(200);
    expect(names(rest)).toEqual(["b", "c", "d", "e"]);
  });

  conformance("the limit may change from page to page", async (tools) => {
    const secrets = await makeFive(tools);
    const first = await tools.api.get(`${secrets}?limit=1`).expect(200);
    const second = await tools.api.get(`${secrets}?limit=3&continue=${first.metadata.continue}`).expect(200);
    expect(names(second)).toEqual(["b", "c", "d"]);
  });

  conformance("with a label selector pages are full and tell no remaining count", async (tools) => {
    const secrets = await makeFive(tools);
    const first = await tools.api.get(`${secrets}?limit=2&labelSelector=odd%3Dyes`).expect(200);
    expect(names(first)).toEqual(["a", "c"]);
    expect(first.metadata).not.toHaveProperty("remainingItemCount");
    const more = `${secrets}?limit=2&labelSelector=odd%3Dyes&continue=${first.metadata.continue}`;
    expect(names(await tools.api.get(more).expect(200))).toEqual(["e"]);
  });

  conformance("with a field selector as well", async (tools) => {
    const secrets = await makeFive(tools);
    const query = "limit=2&fieldSelector=metadata.name!%3Db";
    const first = await tools.api.get(`${secrets}?${query}`).expect(200);
    expect(names(first)).toEqual(["a", "c"]);
    expect(first.metadata).not.toHaveProperty("remainingItemCount");
    const second = await tools.api.get(`${secrets}?${query}&continue=${first.metadata.continue}`).expect(200);
    expect(names(second)).toEqual(["d", "e"]);
  });

  conformance("limit 0 and negative ones are no limit", async (tools) => {
    const secrets = await makeFive(tools);
    for (const limit of ["0", "-1"])
      expect(names(await tools.api.get(`${secrets}?limit=${limit}`).expect(200))).toEqual(letters);
  });

  conformance("resourceVersion 0 ignores the limit", async (tools) => {
    const secrets = await makeFive(tools);
    // Only what a cache has seen: it has once a list not older than the last write is answered.
    const now = await tools.api.get(secrets).expect(200);
    await tools.api.get(`${secrets}?resourceVersion=${now.metadata.resourceVersion}`).expect(200);
    const list = await tools.api.get(`${secrets}?limit=2&resourceVersion=0`).expect(200);
    expect(names(list)).toEqual(letters);
  });

  conformance("a version with a limit is exact", async (tools) => {
    const { api } = tools;
    const secrets = await makeFive(tools);
    const then = (await api.get(secrets).expect(200)).metadata.resourceVersion;
    await api.delete(`${secrets}/a`).expect(200);
    const page = await api.get(`${secrets}?limit=2&resourceVersion=${then}`).expect(200);
    expect(names(page)).toEqual(["a", "b"]);
    expect(page.metadata.resourceVersion).toBe(then);
  });

  conformance("Exact in pages continues at its version", async (tools) => {
    const { api } = tools;
    const secrets = await makeFive(tools);
    const then = (await api.get(secrets).expect(200)).metadata.resourceVersion;
    await api.delete(`${secrets}/e`).expect(200);
    const first = await api.get(`${secrets}?limit=4&resourceVersion=${then}&resourceVersionMatch=Exact`).expect(200);
    const last = await api.get(`${secrets}?limit=4&continue=${first.metadata.continue}`).expect(200);
    expect(names(last)).toEqual(["e"]);
    expect(last.metadata.resourceVersion).toBe(then);
  });

  conformance("NotOlderThan may be read in pages", async (tools) => {
    const secrets = await makeFive(tools);
    const then = (await tools.api.get(secrets).expect(200)).metadata.resourceVersion;
    const page = await tools.api
      .get(`${secrets}?limit=2&resourceVersion=${then}&resourceVersionMatch=NotOlderThan`)
      .expect(200);
    expect(names(page)).toEqual(["a", "b"]);
    expect(page.metadata.continue).toBeTruthy();
  });

  conformance("a version beside a token is refused", async (tools) => {
    const secrets = await makeFive(tools);
    const { metadata } = await tools.api.get(`${secrets}?limit=1`).expect(200);
    const status = await tools.api
      .get(`${secrets}?continue=${metadata.continue}&resourceVersion=${metadata.resourceVersion}`)
      .refuse(400, "BadRequest");
    expect(status.message).toBe("specifying resource version is not allowed when using continue");
  });

  conformance("a match beside a token is refused", async (tools) => {
    const secrets = await makeFive(tools);
    const { metadata } = await tools.api.get(`${secrets}?limit=1`).expect(200);
    const query = `continue=${metadata.continue}&resourceVersion=1&resourceVersionMatch=Exact`;
    const status = await tools.api.get(`${secrets}?${query}`).refuse(422, "Invalid");
    expect(status.message).toContain("resourceVersionMatch is forbidden when continue is provided");
  });

  conformance("a token that is none is a 400", async ({ api, path }) => {
    const status = await api.get(`${await path("secrets")}?continue=abc`).refuse(400, "BadRequest");
    expect(status.message).toMatch(/^invalid continue token: continue key is not valid/);
  });

  conformance("a token of another format, without a version or without a key is a 400", async ({ api, path }) => {
    const secrets = await path("secrets");
    const wants = [
      [{ v: "meta.k8s.io/v2", rv: 1, start: "a" }, "server does not recognize this encoded version"],
      [{ v: "meta.k8s.io/v1", rv: 0, start: "a" }, "incorrect encoded start resourceVersion"],
      [{ v: "meta.k8s.io/v1", rv: 1, start: "" }, "encoded start key empty"],
    ] as const;
    for (const [token, message] of wants) {
      const status = await api.get(`${secrets}?continue=${tokenOf(token)}`).refuse(400, "BadRequest");
      expect(status.message).toContain(message);
    }
  });

  conformance("custom resources come in pages, too", async ({ api, define }) => {
    const gadgets = await define({ kind: "Gadget" });
    const path = await gadgets.path();
    for (const name of ["a", "b", "c"])
      await api.post(path, { apiVersion: gadgets.apiVersion(), kind: "Gadget", metadata: { name } }).expect(201);
    const first = await api.get(`${path}?limit=2`).expect(200);
    expect(first.metadata.remainingItemCount).toBe(1);
    expect(names(await api.get(`${path}?continue=${first.metadata.continue}`).expect(200))).toEqual(["c"]);
  });

  conformance("pages of metadata and tables carry token and count as well", async (tools) => {
    const secrets = await makeFive(tools);
    for (const form of ["Table", "PartialObjectMetadataList"]) {
      const headers = { accept: `application/json;as=${form};v=v1;g=meta.k8s.io` };
      const page = await tools.api.get(`${secrets}?limit=2`, { headers }).expect(200, { kind: form });
      expect(page.metadata.remainingItemCount).toBe(3);
      const next = `${secrets}?limit=2&continue=${page.metadata.continue}`;
      const second = await tools.api.get(next, { headers }).expect(200, { kind: form });
      expect((second.rows ?? second.items).length).toBe(2);
    }
  });
});
