/** OpenAPI: version 3 by group version, version 2 in one document. */
import { expect } from "vitest";
import type { ConformanceApi } from "./support/api.ts";
import { area, type Body, eventually } from "./support/conformance-case.ts";

const protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/** Some servers send the index as plain text. */
async function readIndex(api: ConformanceApi): Promise<Body> {
  const body = await api.get("/openapi/v3").expect(200);
  return typeof body === "string" ? JSON.parse(body) : body;
}

area("openapi", (conformance) => {
  conformance("the index names a document for each group version, under its hash", async ({ api }) => {
    const index = await readIndex(api);
    for (const path of ["api/v1", "apis/apps/v1", "apis/rbac.authorization.k8s.io/v1"])
      expect(index.paths[path].serverRelativeURL).toMatch(new RegExp(`^/openapi/v3/${path}\\?hash=[0-9A-F]+$`));
  });

  conformance("reviews are described: they can be created, and nothing else", async ({ api }) => {
    const document = await api.get("/openapi/v3/apis/authorization.k8s.io/v1").expect(200);
    const item = document.paths["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"];
    expect(item.post["x-kubernetes-group-version-kind"]).toEqual({
      group: "authorization.k8s.io",
      version: "v1",
      kind: "SelfSubjectAccessReview",
    });
    expect(item.get).toBeUndefined();
    const review = document.components.schemas["io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec"];
    expect(Object.keys(review.properties)).toEqual(
      expect.arrayContaining(["nonResourceAttributes", "resourceAttributes"]),
    );
    await api.get("/openapi/v3/apis/authentication.k8s.io/v1").expect(200);
  });

  conformance("a document under its hash may be kept for ever", async ({ api }) => {
    const index = await readIndex(api);
    const url: string = index.paths["apis/apps/v1"].serverRelativeURL;
    const reply = await api.get(url);
    expect(reply.status).toBe(200);
    expect(reply.headers["cache-control"]).toBe("public, immutable");
    expect(reply.headers.etag).toBe(`"${url.split("hash=")[1]}"`);
    expect(Date.parse(String(reply.headers.expires))).toBeGreaterThan(Date.now() + 300 * 24 * 3_600_000);
    expect(reply.body).toMatchObject({ openapi: "3.0.0" });
  });

  conformance("without the hash it is not kept, and under a wrong one the client is sent on", async ({ api }) => {
    const plain = await api.get("/openapi/v3/apis/apps/v1");
    expect(plain).toMatchObject({ status: 200, headers: { "cache-control": "no-cache, private" } });
    const moved = await api.get("/openapi/v3/apis/apps/v1?hash=ABC");
    expect(moved.status).toBe(301);
    expect(String(moved.headers.location)).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]+$/);
    await api.get("/openapi/v3/apis/nothing.example.com/v1").expect(404);
  });

  conformance("a document that the client has is a 304", async ({ api }) => {
    const first = await api.get("/openapi/v3/apis/batch/v1");
    const again = await api.get("/openapi/v3/apis/batch/v1", {
      headers: { "if-none-match": String(first.headers.etag) },
    });
    expect(again.status).toBe(304);
  });

  conformance("schemas name their kinds, and fields refer to others", async ({ api }) => {
    const document: Body = (await api.get("/openapi/v3/apis/apps/v1")).body;
    const deployment = document.components.schemas["io.k8s.api.apps.v1.Deployment"];
    expect(deployment["x-kubernetes-group-version-kind"]).toEqual([
      { group: "apps", version: "v1", kind: "Deployment" },
    ]);
    expect(JSON.stringify(deployment.properties.spec)).toContain(
      "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec",
    );
    const spec = document.components.schemas["io.k8s.api.apps.v1.DeploymentSpec"];
    expect(spec.required).toEqual(["selector", "template"]);
    expect(document.components.schemas["io.k8s.api.core.v1.Container"].properties.image.type).toBe("string");
  });

  conformance("lists say how they are merged", async ({ api }) => {
    const document: Body = (await api.get("/openapi/v3/api/v1")).body;
    const { containers } = document.components.schemas["io.k8s.api.core.v1.PodSpec"].properties;
    expect(containers).toMatchObject({
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      "x-kubernetes-patch-merge-key": "name",
      "x-kubernetes-patch-strategy": "merge",
    });
  });

  conformance("operations name their action and kind, and what they validate", async ({ api }) => {
    const document: Body = (await api.get("/openapi/v3/api/v1")).body;
    const item = document.paths["/api/v1/namespaces/{namespace}/configmaps"];
    expect(item.post["x-kubernetes-action"]).toBe("post");
    expect(item.post["x-kubernetes-group-version-kind"]).toEqual({ group: "", version: "v1", kind: "ConfigMap" });
    const names = item.post.parameters.map((one: { name: string }) => one.name);
    expect(names).toEqual(expect.arrayContaining(["dryRun", "fieldManager", "fieldValidation"]));
    const patch = document.paths["/api/v1/namespaces/{namespace}/configmaps/{name}"].patch;
    expect(Object.keys(patch.requestBody.content)).toEqual(
      expect.arrayContaining(["application/apply-patch+yaml", "application/strategic-merge-patch+json"]),
    );
  });

  conformance("version 2 is one document with the same definitions", async ({ api }) => {
    const reply = await api.get("/openapi/v2");
    expect(reply.status).toBe(200);
    const document: Body = reply.body;
    expect(document.swagger).toBe("2.0");
    const spec = document.definitions["io.k8s.api.core.v1.PodSpec"];
    expect(spec.properties.containers.items.$ref).toBe("#/definitions/io.k8s.api.core.v1.Container");
    expect(spec.properties.containers["x-kubernetes-patch-merge-key"]).toBe("name");
    expect(document.paths["/api/v1/pods"].get["x-kubernetes-action"]).toBe("list");
    // Definitions that other cases removed may still be leaving the document.
    await eventually("the document is as it was", async () => {
      const { etag } = (await api.get("/openapi/v2")).headers;
      return (await api.get("/openapi/v2", { headers: { "if-none-match": String(etag) } })).status === 304;
    });
  });

  conformance("version 2 comes in protobuf for who asks for it", async ({ api }) => {
    const reply = await api.get("/openapi/v2", { headers: { accept: protobuf } });
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    expect(String(reply.body)).toContain("io.k8s.api.core.v1.PodSpec");
    await api.get("/openapi/v2", { headers: { accept: "text/html" } }).expect(406);
  });

  conformance("a definition's schema appears, in both versions", async ({ api, define }) => {
    const schema = {
      type: "object",
      properties: {
        spec: { type: "object", properties: { size: { type: "integer", description: "How large it is." } } },
      },
    };
    const definition = await define({ kind: "Doodad", schema });
    const path = `apis/${definition.group}/v1`;
    await eventually("the index names it", async () => (await readIndex(api)).paths[path] !== undefined);
    const document: Body = (await api.get(`/openapi/v3/${path}`)).body;
    const name = `${definition.group.split(".").reverse().join(".")}.v1.Doodad`;
    expect(document.components.schemas[name].properties.spec.properties.size).toMatchObject({
      type: "integer",
      description: "How large it is.",
    });
    expect(document.components.schemas[name].properties.metadata).toBeDefined();
    await eventually(
      "version 2 has it",
      async () => (await api.get("/openapi/v2")).body.definitions[name] !== undefined,
    );
  });
});
