import { describe, expect, it } from "vitest";
import type { Container } from "../../../../src/embedded/kubelet/core-types.ts";
import { findImage, normalizeImageName } from "../../../../src/embedded/kubelet/image-table.ts";
import { buildLaunch, type LaunchInput } from "../../../../src/embedded/kubelet/launch-spec.ts";
import { createPathRewriter } from "../../../../src/embedded/kubelet/mounts.ts";
import { aContainer, aPod, facts, sourcesOf } from "./builders.ts";

function launch(container: Partial<Container>, overrides: Partial<LaunchInput> = {}) {
  const spec = aContainer(container);
  return buildLaunch({
    pod: aPod({ containers: [spec] }),
    container: spec,
    sources: sourcesOf(),
    facts,
    image: { entrypoint: ["/bin/run"], env: { PATH: "/image", FROM_IMAGE: "1" } },
    volumeDirs: new Map([
      ["data", "/root/data/v"],
      ["models-cache", "/root/models"],
    ]),
    hostEnv: { PATH: "/usr/bin", HOME: "/home" },
    nodeEnv: { PATH: "/fake:/usr/bin" },
    rootDir: "/root",
    containerDir: "/root/c",
    kubeconfigPath: undefined,
    terminationMessagePath: "/root/last-words",
    ...overrides,
  }).spec;
}

describe("buildLaunch", () => {
  it("puts args behind the entrypoint, and lets command replace it", () => {
    expect(launch({ args: ["a"] }).argv).toEqual(["/bin/run", "a"]);
    expect(launch({ command: ["other"], args: ["a"] }).argv).toEqual(["other", "a"]);
  });

  it("layers the environment: host, image, node, pod", () => {
    const { env } = launch({ env: [{ name: "HOME", value: "/mine" }] });
    expect(env).toMatchObject({ PATH: "/fake:/usr/bin", FROM_IMAGE: "1", HOME: "/mine", HOSTNAME: "p" });
  });

  it("marks every process with the kubelet's directory, whatever the pod says", () => {
    expect(launch({ env: [{ name: "INFERIUM_KUBELET_ROOT", value: "x" }] }).env.INFERIUM_KUBELET_ROOT).toBe("/root");
  });

  it("maps mount paths in command, args, env and working directory, once each", () => {
    const spec = launch({
      volumeMounts: [
        { name: "data", mountPath: "/data/" },
        { name: "models-cache", mountPath: "/data/models", subPath: "onnx" },
      ],
      command: ["cat", "/data/x"],
      args: ["--model=/data/models/m", "/database", "$(P)"],
      env: [{ name: "P", value: "/data" }],
      workingDir: "/data/sub",
    });
    expect(spec.argv).toEqual(["cat", "/root/data/v/x", "--model=/root/models/onnx/m", "/database", "/root/data/v"]);
    expect(spec.workingDir).toBe("/root/data/v/sub");
    expect(spec.env).toMatchObject({
      P: "/root/data/v",
      INFERIUM_MOUNT_DATA: "/root/data/v",
      INFERIUM_MOUNT_MODELS_CACHE: "/root/models/onnx",
    });
  });

  it("expands variables in a subPathExpr", () => {
    const spec = launch({
      volumeMounts: [{ name: "data", mountPath: "/d", subPathExpr: "x/$(ID)" }],
      env: [{ name: "ID", value: "7" }],
      args: ["/d/f"],
    });
    expect(spec.argv[1]).toBe("/root/data/v/x/7/f");
  });

  it.each([
    { name: "an unknown volume", mount: { name: "none", mountPath: "/x" }, want: /names no volume/ },
    {
      name: "a subPath that leaves the volume",
      mount: { name: "data", mountPath: "/x", subPath: "../y" },
      want: /leaves its volume/,
    },
  ])("refuses $name", ({ mount, want }) => {
    expect(() => launch({ volumeMounts: [mount] })).toThrow(want);
  });

  it("gives the kubeconfig of the pod, unless the pod sets its own", () => {
    expect(launch({}, { kubeconfigPath: "/k" }).env.KUBECONFIG).toBe("/k");
    expect(launch({ env: [{ name: "KUBECONFIG", value: "/own" }] }, { kubeconfigPath: "/k" }).env.KUBECONFIG).toBe(
      "/own",
    );
  });
});

describe("createPathRewriter", () => {
  const rewrite = createPathRewriter([{ name: "tmp", mountPath: "/tmp", realPath: "/tmp/k/volumes/tmp" }]);
  it.each([
    { text: "/tmp", want: "/tmp/k/volumes/tmp" },
    { text: "/tmp/a:/tmp/b", want: "/tmp/k/volumes/tmp/a:/tmp/k/volumes/tmp/b" },
    { text: "file:///tmp/a", want: "file:///tmp/k/volumes/tmp/a" },
    { text: "https://host/tmp/a", want: "https://host/tmp/a" },
    { text: "/var/tmp", want: "/var/tmp" },
    { text: "/tmpfs /tmp-x /tmp.d", want: "/tmpfs /tmp-x /tmp.d" },
    { text: "a=/tmp, '/tmp'", want: "a=/tmp/k/volumes/tmp, '/tmp/k/volumes/tmp'" },
  ])("turns $text into $want", ({ text, want }) => {
    expect(rewrite(text)).toBe(want);
  });
});

describe("findImage", () => {
  it("knows an image by any of its usual names", () => {
    const images = { "busybox:latest": { entrypoint: ["sh"] } };
    expect(findImage(images, "docker.io/library/busybox").entrypoint).toEqual(["sh"]);
    expect(normalizeImageName("ghcr.io/a/b@sha256:1")).toBe("ghcr.io/a/b@sha256:1");
    expect(normalizeImageName("localhost:5000/a")).toBe("localhost:5000/a:latest");
  });

  it("names what it has when an image is missing", () => {
    expect(() => findImage({ a: { entrypoint: [] } }, "b")).toThrow(/"b" is not known .* It has: a\./);
  });
});
