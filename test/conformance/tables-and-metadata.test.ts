/** Answers as tables and as metadata alone, and what else a client may ask of the form of an answer. */
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { area, type CaseTools } from "./support/conformance-case.ts";

const accept = (form: string) => ({ headers: { accept: `application/json;as=${form};v=v1;g=meta.k8s.io` } });
const aSecret = (name: string, data: object = {}) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, labels: { a: "b" } },
  data,
});

async function makeTwo({ api, path }: CaseTools) {
  const secrets = await path("secrets");
  for (const name of ["one", "two"]) await api.post(secrets, aSecret(name, { k: "dg==" })).expect(201);
  return secrets;
}

area("tables and metadata", (conformance) => {
  conformance("a list as a table has columns and a row each", async (tools) => {
    const table = await tools.api.get(await makeTwo(tools), accept("Table")).expect(200, {
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
    });
    expect(table.metadata.resourceVersion).toBeTruthy();
    expect(table.columnDefinitions[0]).toMatchObject({ name: "Name", type: "string", format: "name", priority: 0 });
    expect(table.rows.map((row: { cells: unknown[] }) => row.cells[0])).toEqual(["one", "two"]);
    expect(table.rows[0].cells).toHaveLength(table.columnDefinitions.length);
  });

  conformance("rows hold their objects' metadata", async (tools) => {
    const table = await tools.api.get(await makeTwo(tools), accept("Table")).expect(200);
    expect(table.rows[0].object).toMatchObject({
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: { name: "one", labels: { a: "b" } },
    });
    expect(table.rows[0].object).not.toHaveProperty("data");
  });

  conformance("includeObject Object holds them whole, None not at all", async (tools) => {
    const secrets = await makeTwo(tools);
    const whole = await tools.api.get(`${secrets}?includeObject=Object`, accept("Table")).expect(200);
    expect(whole.rows[0].object).toMatchObject({ kind: "Secret", apiVersion: "v1", data: { k: "dg==" } });
    const none = await tools.api.get(`${secrets}?includeObject=None`, accept("Table")).expect(200);
    expect(none.rows[0].object ?? null).toBeNull();
  });

  conformance("an unknown includeObject is a 400", async (tools) => {
    const status = await tools.api
      .get(`${await makeTwo(tools)}?includeObject=All`, accept("Table"))
      .refuse(400, "BadRequest");
    expect(status.message).toBe(
      "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
    );
  });

  conformance("one object as a table is one row under its own version", async (tools) => {
    const { api } = tools;
    const secrets = await makeTwo(tools);
    const one = await api.get(`${secrets}/one`).expect(200);
    const table = await api.get(`${secrets}/one`, accept("Table")).expect(200, { kind: "Table" });
    expect(table.rows).toHaveLength(1);
    expect(table.metadata.resourceVersion).toBe(one.metadata.resourceVersion);
  });

  conformance("an empty list as a table has columns and no rows", async ({ api, path }) => {
    const table = await api.get(await path("secrets"), accept("Table")).expect(200);
    expect(table.columnDefinitions.length).toBeGreaterThan(0);
    expect(table.rows).toEqual([]);
  });

  conformance("a watch as tables sends columns once", async (tools) => {
    const secrets = await makeTwo(tools);
    const events = await tools.api.watch(`${secrets}?watch=true`, (all) => all.length >= 2, {
      accept: accept("Table").headers.accept,
    });
    expect(events[0]?.object).toMatchObject({ kind: "Table", rows: [{ object: { kind: "PartialObjectMetadata" } }] });
    expect(events[0]?.object.columnDefinitions.length).toBeGreaterThan(0);
    expect(events[1]?.object.columnDefinitions ?? []).toEqual([]);
  });

  conformance("a bookmark in a watch as tables is a table with the version", async ({ api, path }) => {
    const events = await api.watch(
      `${await path("secrets")}?watch=true&allowWatchBookmarks=true`,
      (all) => all.length >= 1,
      { accept: accept("Table").headers.accept },
    );
    const { type, object } = events[0] ?? {};
    expect(type).toBe("BOOKMARK");
    expect(object).toMatchObject({
      kind: "Table",
      rows: [{ object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } } }],
    });
    expect(object.metadata.resourceVersion).toBe(object.rows[0].object.metadata.resourceVersion);
  });

  conformance("a list of metadata alone", async (tools) => {
    const secrets = await makeTwo(tools);
    const list = await tools.api.get(secrets, accept("PartialObjectMetadataList")).expect(200, {
      kind: "PartialObjectMetadataList",
      apiVersion: "meta.k8s.io/v1",
    });
    expect(list.items).toHaveLength(2);
    expect(list.items[0]).toMatchObject({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" });
    expect(Object.keys(list.items[0]).sort()).toEqual(["apiVersion", "kind", "metadata"]);
  });

  conformance("an object's metadata alone is all of its metadata", async (tools) => {
    const secrets = await makeTwo(tools);
    const { metadata } = await tools.api.get(`${secrets}/one`).expect(200);
    const partial = await tools.api.get(`${secrets}/one`, accept("PartialObjectMetadata")).expect(200);
    expect(partial).toEqual({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata });
  });

  conformance("a watch of metadata alone, bookmarks and all", async (tools) => {
    const secrets = await makeTwo(tools);
    const events = await tools.api.watch(`${secrets}?watch=true&allowWatchBookmarks=true`, (all) => all.length >= 3, {
      accept: accept("PartialObjectMetadata").headers.accept,
    });
    for (const { object } of events)
      expect(object).toMatchObject({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" });
    expect(events.map(({ type }) => type)).toEqual(["ADDED", "ADDED", "BOOKMARK"]);
  });

  conformance("a list is not one object's metadata, and one object no list of it: 406", async (tools) => {
    const secrets = await makeTwo(tools);
    const list = await tools.api.get(secrets, accept("PartialObjectMetadata")).refuse(406, "NotAcceptable");
    expect(list.message).toContain("you requested PartialObjectMetadata, but the requested object is a list");
    const one = await tools.api.get(`${secrets}/one`, accept("PartialObjectMetadataList"));
    expect(one.status).toBe(406);
    expect(one.body.message).toContain("but the requested object is not a list");
  });

  conformance("an unknown form is a 406, unless the client takes another one as well", async (tools) => {
    const secrets = await makeTwo(tools);
    await tools.api.get(secrets, accept("Chart")).refuse(406, "NotAcceptable");
    const both = { headers: { accept: `${accept("Chart").headers.accept},application/json` } };
    await tools.api.get(secrets, both).expect(200, { kind: "SecretList" });
  });

  conformance("pretty=true indents answers, refusals too", async (tools) => {
    const secrets = await makeTwo(tools);
    const size = async (path: string) => Number((await tools.api.get(path)).headers["content-length"]);
    expect(await size(`${secrets}/one?pretty=true`)).toBeGreaterThan(await size(`${secrets}/one`));
    expect(await size(`${secrets}/one?pretty=false`)).toBe(await size(`${secrets}/one`));
    expect(await size(`${secrets}/none?pretty=1`)).toBeGreaterThan(await size(`${secrets}/none?pretty=false`));
  });

  conformance("a large answer is compressed for a client that takes gzip, a small one is not", async (tools) => {
    const secrets = await makeTwo(tools);
    const gzip = { headers: { "accept-encoding": "gzip" } };
    expect((await tools.api.get(secrets, gzip)).headers).not.toHaveProperty("content-encoding");
    const big = Buffer.alloc(150_000, "x").toString("base64");
    await tools.api.post(secrets, aSecret("big", { big })).expect(201);
    const reply = await tools.api.bytes(secrets, gzip);
    expect(reply.headers["content-encoding"]).toBe("gzip");
    expect(JSON.parse(gunzipSync(reply.body).toString()).items).toHaveLength(3);
  });
});

area("get", (conformance) => {
  conformance("an object comes with kind, version and its own resource version", async (tools) => {
    const secrets = await makeTwo(tools);
    const one = await tools.api.get(`${secrets}/one`).expect(200, { kind: "Secret", apiVersion: "v1" });
    expect(one.metadata).toMatchObject({ name: "one", namespace: await tools.namespace() });
    expect(one.metadata.resourceVersion).toMatch(/^\d+$/);
  });

  conformance("what is not there is a 404 that names it", async ({ api, path }) => {
    const status = await api.get(`${await path("secrets")}/none`).refuse(404, "NotFound");
    expect(status).toMatchObject({
      message: 'secrets "none" not found',
      details: { name: "none", kind: "secrets" },
    });
  });

  conformance("of a grouped kind the group is named as well", async ({ api, path }) => {
    const status = await api.get(`${await path("deployments", "apps/v1")}/none`).refuse(404, "NotFound");
    expect(status).toMatchObject({
      message: 'deployments.apps "none" not found',
      details: { name: "none", group: "apps", kind: "deployments" },
    });
  });

  conformance("a get not older than a version answers once that is there, and 504 if it never is", async (tools) => {
    const secrets = await makeTwo(tools);
    const one = await tools.api.get(`${secrets}/one`).expect(200);
    for (const version of ["0", one.metadata.resourceVersion])
      await tools.api.get(`${secrets}/one?resourceVersion=${version}`).expect(200, { metadata: { name: "one" } });
    const status = await tools.api.get(`${secrets}/one?resourceVersion=9000000000`).refuse(504, "Timeout");
    expect(status.details.causes).toMatchObject([{ reason: "ResourceVersionTooLarge" }]);
  });

  conformance("HEAD is not allowed", async (tools) => {
    const secrets = await makeTwo(tools);
    expect((await tools.api.send("HEAD", `${secrets}/one`)).status).toBe(405);
    expect((await tools.api.send("HEAD", secrets)).status).toBe(405);
  });
});
