/** DefaultTolerationSeconds: a pod stays for five minutes on a node that goes away, unless it says otherwise. */
import { asArray, asObject } from "../../json-value.ts";
import { specOf } from "../../object.ts";
import type { AdmissionPlugin } from "../admission.ts";

const tolerationSeconds = 300;
const keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  mutate: ({ kind, subresource, object: pod }) => {
    if (kind.storage !== "pods" || subresource !== "" || pod === undefined) return;
    const given = asArray(specOf(pod).tolerations).map(asObject);
    const covers = (key: string) =>
      given.some((one) => (!one.key || one.key === key) && (!one.effect || one.effect === "NoExecute"));
    const added = keys
      .filter((key) => !covers(key))
      .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds }));
    if (added.length > 0) specOf(pod).tolerations = [...given, ...added];
  },
};
