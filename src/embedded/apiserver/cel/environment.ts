/** The CEL environment of Kubernetes 1.36: the engine's standard functions and every library below. Made once. */
import { Environment } from "@marcbachmann/cel-js";
import { registerAddresses, registerCidrs } from "./addresses-library.ts";
import { registerComprehensions } from "./comprehensions.ts";
import { registerLists } from "./lists-library.ts";
import { registerFormats } from "./named-formats.ts";
import { registerQuantities } from "./quantity.ts";
import { registerSemver } from "./semver-library.ts";
import { registerSets } from "./sets-library.ts";
import { registerStrings } from "./strings-library.ts";
import { registerTimes } from "./times-library.ts";
import { registerUrls } from "./urls-library.ts";

let base: Environment | undefined;

/** A fresh copy: what is registered in it stays there. */
export function kubernetesEnvironment(): Environment {
  base ??= createBase();
  return base.clone();
}

function createBase(): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    // Checked by `literal-types.ts`, which lets the arguments of format() differ.
    homogeneousAggregateLiterals: false,
  });
  const libraries = [
    registerStrings,
    registerLists,
    registerSets,
    registerTimes,
    registerQuantities,
    registerSemver,
    registerUrls,
    registerAddresses,
    registerCidrs,
    registerFormats,
    registerComprehensions,
  ];
  for (const register of libraries) register(environment);
  return environment;
}
