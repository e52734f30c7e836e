import { describe, expect, test } from "vitest";
import { createEnvironmentReader } from "../../../src/base/environment.ts";
import { hostInUrl, parseListenAddress, readListenAddress } from "../../../src/base/listen-address.ts";

const read = (text: string) => readListenAddress(createEnvironmentReader({ ADDR: text }), "ADDR");

describe("an address to listen on", () => {
  test.each([
    { text: "127.0.0.1:8080", want: { host: "127.0.0.1", port: 8080 } },
    { text: ":0", want: { host: "0.0.0.0", port: 0 } },
    { text: "localhost:65535", want: { host: "localhost", port: 65_535 } },
    { text: "[::1]:8080", want: { host: "::1", port: 8080 } },
    { text: "[::]:8080", want: { host: "::", port: 8080 } },
    { text: "", want: undefined },
  ])("$text", ({ text, want }) => {
    expect(read(text)).toEqual(want);
    if (want !== undefined) expect(parseListenAddress(text, "--health")).toEqual(want);
  });

  test.each(["8080", "localhost", "::1:8080", "[::1]", "[]:80", "[localhost]:80", "a:65536", "a:-1", "a b:1", "a:1:2"])(
    "%s is none",
    (text) => {
      const problem = `"${text}"; expected host:port, [IPv6]:port or :port, with a port up to 65535.`;
      expect(() => read(text)).toThrow(`ADDR is ${problem}`);
      expect(() => parseListenAddress(text, "--health")).toThrow(`--health is ${problem}`);
    },
  );

  test("stands in a URL with brackets where it needs them", () => {
    expect([hostInUrl("::1"), hostInUrl("127.0.0.1"), hostInUrl("localhost")]).toEqual([
      "[::1]",
      "127.0.0.1",
      "localhost",
    ]);
  });
});
