/** Unmodified clients against the embedded control plane. The cases are in the files that this one imports. */
import { afterAll, beforeAll } from "vitest";
import { closeSharedCluster, openSharedCluster } from "./shared-cluster.ts";
import "./kubectl-objects.ts";
import "./kubectl-pods.ts";
import "./kubectl-workloads.ts";
import "./helm.ts";
import "./libraries.ts";

beforeAll(openSharedCluster);
afterAll(closeSharedCluster);
