/** ConfigMaps: the immutable flag and the keys. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

const aMap = (name: string, fields: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...fields,
});

area("config maps", (conformance) => {
  conformance("a key that is not a file name is refused with its field", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), aMap("one", { data: { "a/b": "1" } }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "data[a/b]" }]);
  });

  conformance("one key in both data and binaryData is refused", async ({ api, path }) => {
    const map = aMap("one", { data: { a: "1" }, binaryData: { a: "MQ==" } });
    await api.post(await path("configmaps"), map).refuse(422, "Invalid");
  });

  conformance("an immutable map keeps its data and its flag, not its labels", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" }, immutable: true })).expect(201);
    await api.put(`${maps}/one`, { ...made, data: { a: "2" } }).refuse(422, "Invalid");
    await api.put(`${maps}/one`, { ...made, immutable: false }).refuse(422, "Invalid");
    await api
      .patch(`${maps}/one`, "merge", { metadata: { labels: { a: "b" } } })
      .expect(200, { metadata: { labels: { a: "b" } }, data: { a: "1" } });
  });
});
