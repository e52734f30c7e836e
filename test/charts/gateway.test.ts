/** The gateway of the chart: where it keeps windows over a kill. */
import { describe, expect, test } from "vitest";
import { helms, hubValues, render, someAddress } from "./helm.ts";

const newest = helms.at(-1);

interface Pod {
  readonly containers: readonly {
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly object[];
}

describe.runIf(newest !== undefined)("the gateway's spool", () => {
  const renderGateway = (spool: object) => {
    const gateway = { enabled: true, existingSecret: "key", address: someAddress, spool };
    const only = ["--show-only", "templates/gateway.yaml"];
    return render(newest?.binary ?? "", { ...hubValues, agents: { enabled: true }, gateway }, only);
  };

  function podOf(spool: object): Pod {
    const { objects, error } = renderGateway(spool);
    const found = objects.find(({ kind }) => kind === "Deployment");
    expect(found, error).toBeDefined();
    return (found as unknown as { spec: { template: { spec: Pod } } }).spec.template.spec;
  }
  const partsOf = ({ containers: [container], volumes }: Pod) => ({
    env: container?.env.filter(({ name }) => name.startsWith("INFERIUM_SPOOL")),
    mounts: container?.volumeMounts.filter(({ name }) => name === "spool"),
    volumes: volumes.filter((volume) => "name" in volume && volume.name === "spool"),
  });

  test("is a volume of the pod's own, with room for what the gateway puts there", () => {
    expect(partsOf(podOf({ mebibytes: 500 }))).toEqual({
      env: [
        { name: "INFERIUM_SPOOL_DIR", value: "/var/lib/inferium/spool" },
        { name: "INFERIUM_SPOOL_MIB", value: "500" },
      ],
      mounts: [{ name: "spool", mountPath: "/var/lib/inferium/spool" }],
      volumes: [{ name: "spool", emptyDir: { sizeLimit: "564Mi" } }],
    });
  });

  test("is another volume where one is given, and none where it is off", () => {
    const ephemeral = { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"] } } };
    expect(partsOf(podOf({ volume: { ephemeral } })).volumes).toEqual([{ name: "spool", ephemeral }]);
    expect(partsOf(podOf({ enabled: false }))).toEqual({ env: [], mounts: [], volumes: [] });
  });

  test("of no size is refused", () => {
    expect(renderGateway({ mebibytes: 0 }).error).toContain("/gateway/spool/mebibytes");
  });
});
