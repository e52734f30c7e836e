/** What bodies may be and what answers can be asked for: JSON, YAML, sizes, 415 and 406. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aMap } from "./support/sample-objects.ts";

const typed = (type: string) => ({ headers: { "content-type": type } });

area("content types", (conformance) => {
  conformance("YAML is a body like any other", async ({ api, path }) => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: |\n    text\n";
    await api.post(await path("configmaps"), text, typed("application/yaml")).expect(201, { data: { a: "text\n" } });
  });

  conformance("a charset in the type does no harm", async ({ api, path }) => {
    await api.post(await path("configmaps"), aMap("one"), typed("application/json; charset=utf-8")).expect(201);
  });

  conformance("an unknown type of body is a 415 that lists the known ones", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), "a=1", typed("application/x-www-form-urlencoded"))
      .refuse(415, "UnsupportedMediaType");
    expect(status.message).toContain(
      "the body of the request was in an unknown format - accepted media types include: ",
    );
    for (const type of ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"])
      expect(status.message).toContain(type);
  });

  conformance("a patch of plain JSON is a 415", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const status = await api
      .send("PATCH", `${maps}/one`, {}, typed("application/json"))
      .refuse(415, "UnsupportedMediaType");
    expect(status.message).toBe("415: Unsupported Media Type");
  });

  conformance("a body that is no JSON is a 400", async ({ api, path }) => {
    await api.post(await path("configmaps"), "{").refuse(400, "BadRequest");
    await api.post(await path("configmaps"), "[]").refuse(400, "BadRequest");
  });

  conformance("a body that is no YAML is a 400", async ({ api, path }) => {
    await api.post(await path("configmaps"), "a: [", typed("application/yaml")).refuse(400, "BadRequest");
  });

  conformance("no body at all is a 400", async ({ api, path }) => {
    await api.send("POST", await path("configmaps"), "", typed("application/json")).refuse(400, "BadRequest");
  });

  conformance("a value of the wrong type is a 400 that names the field", async ({ api, path }) => {
    const status = await api.post(await path("configmaps"), aMap("one", { data: { a: 1 } })).refuse(400, "BadRequest");
    expect(status.message).toMatch(
      /^ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field .*data.* of type string$/,
    );
  });

  conformance("more than 3 MiB is a 413", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), aMap("one", { data: { a: "x".repeat(3 * 1024 * 1024) } }))
      .refuse(413, "RequestEntityTooLarge");
    expect(status.message).toBe("Request entity too large: limit is 3145728");
  });

  conformance("JSON answers are JSON, whatever the type of the body", async ({ api, path }) => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";
    const reply = await api.post(await path("configmaps"), text, {
      headers: { "content-type": "application/yaml", accept: "application/json" },
    });
    expect(reply.headers["content-type"]).toBe("application/json");
  });

  conformance("YAML answers for who asks", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const reply = await api.get(`${maps}/one`, { headers: { accept: "application/yaml" } });
    expect(reply.headers["content-type"]).toBe("application/yaml");
    expect(reply.body).toMatch(/^apiVersion: v1$/m);
    expect(reply.body).toMatch(/^ {2}a: "1"$/m);
  });

  conformance("an answer that nobody can give is a 406, before anything is written", async ({ api, path }) => {
    const maps = await path("configmaps");
    const status = await api.post(maps, aMap("one"), { headers: { accept: "text/html" } }).refuse(406, "NotAcceptable");
    expect(status.message).toBe(
      "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    );
    await api.get(`${maps}/one`).refuse(404, "NotFound");
  });

  conformance("the first range that can be served wins", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api
      .get(`${maps}/one`, { headers: { accept: "text/html, application/json" } })
      .expect(200, { kind: "ConfigMap" });
  });

  conformance("metadata alone for who asks", async ({ api, path }) => {
    const maps = await path("configmaps");
    const accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    const made = await api.post(maps, aMap("one", { data: { a: "1" } }), { headers: { accept } }).expect(201, {
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: { name: "one" },
    });
    expect(made).not.toHaveProperty("data");
  });

  conformance("a method that a path does not have is a 405", async ({ api, path }) => {
    await api.send("PUT", await path("configmaps"), aMap("one")).refuse(405, "MethodNotAllowed");
    await api.send("POST", `${await path("configmaps")}/one`, aMap("one")).refuse(405, "MethodNotAllowed");
  });
});
