/**
 * The one part of `@kubernetes/client-node` that is used: its reader of kubeconfigs. By its own path, since the package's
 * index pulls in every model and client; a bundler leaves those out.
 */
export { KubeConfig } from "@kubernetes/client-node/dist/config.js";
