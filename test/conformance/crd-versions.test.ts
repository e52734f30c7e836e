/** Several versions of a custom resource: conversion None, serving, deprecation and priority. */
import { expect } from "vitest";
import { area, eventually } from "./support/conformance-case.ts";
import { fields } from "./support/custom-objects.ts";

const version = (name: string, storage: boolean, spec: object, more: object = {}) => ({
  name,
  storage,
  schema: { openAPIV3Schema: fields({ spec: fields(spec) }) },
  ...more,
});
const text = { type: "string" };
const both = [version("v1", true, { a: text }), version("v1beta1", false, { a: text, old: text })];

area("crd versions", (conformance) => {
  conformance("an object is read in every served version; only its apiVersion changes", async ({ define, api }) => {
    const definition = await define({ kind: "Thing", versions: both });
    const object = {
      apiVersion: definition.apiVersion("v1"),
      kind: "Thing",
      metadata: { name: "a" },
      spec: { a: "x" },
    };
    const made = await api.post(await definition.path("v1"), object).expect(201);
    const other = await api.get(`${await definition.path("v1beta1")}/a`).expect(200);
    expect(other).toMatchObject({ apiVersion: definition.apiVersion("v1beta1"), spec: { a: "x" } });
    expect(other.metadata.uid).toBe(made.metadata.uid);
    expect(other.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  conformance("fields that the storage version does not have are lost", async ({ define, api }) => {
    const definition = await define({ kind: "Thing", versions: both });
    const path = await definition.path("v1beta1");
    const object = {
      apiVersion: definition.apiVersion("v1beta1"),
      kind: "Thing",
      metadata: { name: "a" },
      spec: { a: "x", old: "y" },
    };
    await api.post(path, object).expect(201);
    const stored = await api.get(`${path}/a`).expect(200);
    expect(stored.spec).toEqual({ a: "x" });
  });

  conformance("a list and a watch show the version that was asked for", async ({ define, api }) => {
    const definition = await define({ kind: "Thing", versions: both });
    const object = {
      apiVersion: definition.apiVersion("v1"),
      kind: "Thing",
      metadata: { name: "a" },
      spec: { a: "x" },
    };
    await api.post(await definition.path("v1"), object).expect(201);
    const path = await definition.path("v1beta1");
    const list = await api.get(path).expect(200);
    expect(list.items[0].apiVersion).toBe(definition.apiVersion("v1beta1"));
    const events = await api.watch(`${path}?watch=true`, (all) => all.length > 0);
    expect(events[0]?.object.apiVersion).toBe(definition.apiVersion("v1beta1"));
  });

  conformance("a body of another version than the path's is refused", async ({ define, api }) => {
    const definition = await define({ kind: "Thing", versions: both });
    const object = { apiVersion: definition.apiVersion("v1beta1"), kind: "Thing", metadata: { name: "a" }, spec: {} };
    await api.post(await definition.path("v1"), object).refuse(400, "BadRequest");
  });

  conformance("a version that is not served is not found", async ({ define, api }) => {
    const versions = [both[0] as object, { ...both[1], served: false }];
    const definition = await define({ kind: "Thing", versions });
    await api.get(await definition.path("v1beta1")).expect(404);
  });

  conformance("a deprecated version warns with every answer, and names its successor", async ({ define, api }) => {
    const versions = [both[0] as object, { ...both[1], deprecated: true }];
    const definition = await define({ kind: "Thing", versions });
    const reply = await api.get(await definition.path("v1beta1"));
    const { group } = definition;
    expect(reply.headers.warning).toBe(`299 - "${group}/v1beta1 Thing is deprecated; use ${group}/v1 Thing"`);
    expect((await api.get(await definition.path("v1"))).headers.warning).toBeUndefined();
  });

  conformance("a deprecation warning in own words", async ({ define, api }) => {
    const versions = [both[0] as object, { ...both[1], deprecated: true, deprecationWarning: "leave this place" }];
    const definition = await define({ kind: "Thing", versions });
    const reply = await api.get(await definition.path("v1beta1"));
    expect(reply.headers.warning).toBe('299 - "leave this place"');
  });

  conformance(
    "discovery prefers stable versions, then beta, then alpha, the highest first",
    async ({ define, api }) => {
      const names = ["v1alpha1", "v10beta1", "v2", "v1", "v2beta1"];
      const definition = await define({
        kind: "Thing",
        versions: names.map((name) => version(name, name === "v1", { a: text })),
      });
      const path = `/apis/${definition.group}`;
      await eventually("all are discovered", async () => {
        const reply = await api.get(path);
        return reply.status === 200 && reply.body.versions.length === names.length;
      });
      const group = await api.get(path).expect(200);
      const order = group.versions.map((one: { version: string }) => one.version);
      expect(order).toEqual(["v2", "v1", "v10beta1", "v2beta1", "v1alpha1"]);
      expect(group.preferredVersion.version).toBe("v2");
    },
  );

  conformance("each version judges by its own schema", async ({ define, api }) => {
    const versions = [version("v1", true, { a: text }), version("v2", false, { a: { type: "string", maxLength: 1 } })];
    const definition = await define({ kind: "Thing", versions });
    const object = (name: string) => ({
      apiVersion: definition.apiVersion(name),
      kind: "Thing",
      metadata: { name: "a" },
      spec: { a: "xx" },
    });
    await api.post(await definition.path("v2"), object("v2")).refuse(422, "Invalid");
    await api.post(await definition.path("v1"), object("v1")).expect(201);
    await api.get(`${await definition.path("v2")}/a`).expect(200, { spec: { a: "xx" } });
  });
});
