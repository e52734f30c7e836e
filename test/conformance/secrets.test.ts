/** Secrets: text in, bytes out; what the well-known types must hold; what stays. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

const aSecret = (name: string, fields: object = {}) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  ...fields,
});
const base64 = (text: string) => Buffer.from(text).toString("base64");

area("secrets", (conformance) => {
  conformance("stringData is merged into data and never shown", async ({ api, path }) => {
    const secret = await api
      .post(await path("secrets"), aSecret("one", { data: { a: base64("1"), b: base64("2") }, stringData: { b: "3" } }))
      .expect(201, { type: "Opaque", data: { a: base64("1"), b: base64("3") } });
    expect(secret.stringData).toBeUndefined();
  });

  conformance("data that is no base64 cannot be read", async ({ api, path }) => {
    await api.post(await path("secrets"), aSecret("one", { data: { a: "!" } })).refuse(400, "BadRequest");
  });

  conformance("the type does not change", async ({ api, path }) => {
    const secrets = await path("secrets");
    await api.post(secrets, aSecret("one", { type: "example.com/a" })).expect(201);
    const status = await api.patch(`${secrets}/one`, "merge", { type: "example.com/b" }).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "type", message: 'Invalid value: "example.com/b": field is immutable' },
    ]);
  });

  conformance("well-known types hold their keys", async ({ api, path }) => {
    const secrets = await path("secrets");
    const cases: Record<string, string[]> = {
      "kubernetes.io/tls": ["data[tls.crt]", "data[tls.key]"],
      "kubernetes.io/basic-auth": ["data[username]", "data[password]"],
      "kubernetes.io/ssh-auth": ["data[ssh-privatekey]"],
      "kubernetes.io/dockercfg": ["data[.dockercfg]"],
      "kubernetes.io/dockerconfigjson": ["data[.dockerconfigjson]"],
      "kubernetes.io/service-account-token": ["metadata.annotations[kubernetes.io/service-account.name]"],
    };
    for (const [type, fields] of Object.entries(cases)) {
      const status = await api.post(secrets, aSecret("one", { type })).refuse(422, "Invalid");
      expect(
        status.details.causes.map((one: { field: string }) => one.field),
        type,
      ).toEqual(fields);
      expect(status.details.causes[0].reason).toBe("FieldValueRequired");
    }
  });

  conformance("a docker configuration must be JSON, and is not shown when it is not", async ({ api, path }) => {
    const secrets = await path("secrets");
    const config = (text: string) =>
      aSecret("one", { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64(text) } });
    const status = await api.post(secrets, config("hunter2")).refuse(422, "Invalid");
    expect(status.details.causes[0].message).toContain("<secret contents redacted>");
    expect(JSON.stringify(status)).not.toContain("hunter2");
    await api.post(secrets, config('{"auths":{}}')).expect(201);
  });

  conformance("an immutable secret keeps its data", async ({ api, path }) => {
    const secrets = await path("secrets");
    await api.post(secrets, aSecret("one", { immutable: true, stringData: { a: "1" } })).expect(201);
    const status = await api.patch(`${secrets}/one`, "merge", { stringData: { a: "2" } }).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "data", message: "Forbidden: field is immutable when `immutable` is set" },
    ]);
    await api.patch(`${secrets}/one`, "merge", { metadata: { labels: { a: "b" } } }).expect(200);
  });

  conformance("secrets are found by type", async ({ api, path }) => {
    const secrets = await path("secrets");
    await api.post(secrets, aSecret("one")).expect(201);
    await api.post(secrets, aSecret("two", { type: "example.com/a" })).expect(201);
    const found = await api.get(`${secrets}?fieldSelector=type%3Dexample.com%2Fa`).expect(200);
    expect(found.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(["two"]);
  });
});
