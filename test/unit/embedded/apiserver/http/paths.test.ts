import { describe, expect, test } from "vitest";
import { negotiate } from "../../../../../src/embedded/apiserver/http/negotiate.ts";
import { parseResourcePath } from "../../../../../src/embedded/apiserver/http/path.ts";

describe("resource paths", () => {
  const cases: Array<{ path: string; want: string | undefined }> = [
    { path: "/api/v1/pods", want: "|v1||pods||" },
    { path: "/api/v1/namespaces/a/pods/b/log", want: "|v1|a|pods|b|log" },
    { path: "/apis/apps/v1/namespaces/a/deployments", want: "apps|v1|a|deployments||" },
    { path: "/api/v1/namespaces", want: "|v1||namespaces||" },
    { path: "/api/v1/namespaces/a", want: "|v1||namespaces|a|" },
    { path: "/api/v1/namespaces/a/status", want: "|v1||namespaces|a|status" },
    { path: "/api/v1/namespaces/a/finalize", want: "|v1||namespaces|a|finalize" },
    { path: "/api/v1/nodes/n%2f1", want: "|v1||nodes|n/1|" },
    { path: "/api/v1", want: undefined },
    { path: "/apis/apps/v1", want: undefined },
    { path: "/api/v1/namespaces/a/pods/b/log/more", want: undefined },
    { path: "/healthz", want: undefined },
  ];
  test.each(cases)("$path", ({ path, want }) => {
    const found = parseResourcePath(path);
    const text =
      found &&
      [found.group, found.version, found.namespace, found.resource, found.name, found.subresource]
        .map((part) => part ?? "")
        .join("|");
    expect(text).toBe(want);
  });
});

describe("content negotiation", () => {
  const cases: Array<{ accept: string | undefined; want: string }> = [
    { accept: undefined, want: "object" },
    { accept: "*/*", want: "object" },
    { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", want: "table" },
    { accept: "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", want: "object" },
    { accept: "application/vnd.kubernetes.protobuf,application/json", want: "object" },
    { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", want: "metadata-list" },
    {
      accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
      want: "discovery",
    },
  ];
  test.each(cases)("$accept", ({ accept, want }) => expect(negotiate(accept).form).toBe(want));
  test("what is not JSON is refused", () =>
    expect(() => negotiate("application/vnd.kubernetes.protobuf")).toThrow(
      /Available representations: application\/json/,
    ));
});
