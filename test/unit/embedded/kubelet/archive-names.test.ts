import { expect, it } from "vitest";
import { keepArchiveNames } from "../../../../src/embedded/kubelet/archive-names.ts";

const mounts = [{ name: "v", mountPath: "/data", realPath: "/real/v.1" }];

it("tells tar the names that the caller knows, where paths were rewritten", () => {
  expect(keepArchiveNames(["tar", "cf", "-", "/data/f"], ["tar", "cf", "-", "/real/v.1/f"], mounts)).toEqual([
    ...["tar", "cf", "-", "/real/v.1/f"],
    String.raw`--transform=s,^/*real/v\.1\(/\|$\),data\1,`,
  ]);
});

it("leaves every other command alone", () => {
  const unpack = ["tar", "xmf", "-", "-C", "/real/v.1"];
  expect(keepArchiveNames(["tar", "xmf", "-", "-C", "/data"], unpack, mounts)).toBe(unpack);
  const outside = ["tar", "cf", "-", "/etc/hosts"];
  expect(keepArchiveNames(outside, outside, mounts)).toBe(outside);
});
