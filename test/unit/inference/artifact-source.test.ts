import { describe, expect, it } from "vitest";
import { checkUri } from "../../../src/inference/artifact-source.ts";

const policy = { fileRoots: ["/srv/models"], httpHosts: ["models.example.org", ".cdn.example.org"] };

describe("the policy of artifact URIs", () => {
  it.each([
    { uri: "file:///srv/models/a.onnx", want: "/srv/models/a.onnx" },
    { uri: "https://models.example.org/a.onnx?version=1", want: "/a.onnx" },
    { uri: "http://x.cdn.example.org:8080/a", want: "/a" },
    { uri: "data:application/octet-stream;base64,AAAA", want: "application/octet-stream;base64,AAAA" },
  ])("allows $uri", ({ uri, want }) => {
    expect(checkUri(uri, policy).pathname).toBe(want);
  });

  it.each([
    { uri: "models/a.onnx", code: "InvalidUri", why: /is not a URI/ },
    { uri: "file:///srv/models", code: "NotAllowed", why: /outside the allowed folders/ },
    { uri: "file:///srv/models/../secret", code: "NotAllowed", why: /outside/ },
    { uri: "file:///srv/models/%2e%2e/secret", code: "NotAllowed", why: /outside/ },
    { uri: "file:///srv/models-of-others/a", code: "NotAllowed", why: /outside/ },
    { uri: "file:///etc/passwd", code: "NotAllowed", why: /outside/ },
    { uri: "file://host/srv/models/a", code: "NotAllowed", why: /names host/ },
    { uri: "file:///srv/models/a%2Fb", code: "InvalidUri", why: /has no path/ },
    { uri: "ftp://models.example.org/a", code: "NotAllowed", why: /scheme ftp:/ },

    { uri: "https://evil.example/a", code: "NotAllowed", why: /allowed host/ },
    { uri: "https://models.example.org.evil.example/a", code: "NotAllowed", why: /allowed host/ },
    { uri: "https://evilcdn.example.org/a", code: "NotAllowed", why: /allowed host/ },
    { uri: "https://models.example.org@evil.example/a", code: "NotAllowed", why: /credentials/ },
    { uri: "https://user:secret@models.example.org/a", code: "NotAllowed", why: /credentials/ },
  ])("refuses $uri", ({ uri, code, why }) => {
    expect(() => checkUri(uri, policy)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(why) }));
  });

  it("reads no file at all unless folders are given, and any host unless hosts are given", () => {
    expect(() => checkUri("file:///srv/models/a", {})).toThrow(/allowed folders \(none\)/);
    expect(checkUri("https://anywhere.example/a", {}).hostname).toBe("anywhere.example");
  });

  it("does not repeat a URI's password or signature in the error", () => {
    const message = () => checkUri("https://user:hunter2@evil.example/a?signature=abc", policy);
    expect(message).toThrow(expect.not.objectContaining({ message: expect.stringMatching(/hunter2|abc/) }));
  });
});
