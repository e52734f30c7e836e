/** Which container images tasks may name: whoever may create a task must not be able to run anything on the GPU nodes. Pure. */
import { InferiumError } from "../../base/errors.ts";

/**
 * @param allowed prefixes that end at a part of the name, such as `ghcr.io/acme/`, or whole names; `*` is any image
 * @throws InferiumError PodInvalid
 */
export function checkImage(image: string | undefined, allowed: readonly string[]): void {
  if (image === undefined || allowed.includes("*")) return;
  if (allowed.some((prefix) => image === prefix || image.startsWith(prefix.replace(/[^/:@]$/, "$&/")))) return;
  const list = allowed.join(", ") || "none but the launcher's own";
  throw new InferiumError("PodInvalid", `Image "${image}" is not allowed by this launcher; it allows: ${list}.`);
}
