/**
 * How an image came to be, as an in-toto statement with the SLSA provenance 1.0 predicate: from which commit, base images and lock file, by
 * which arguments. Called by build.ts; pure. The statement is unsigned: whoever releases signs it (cosign attest, for one), since a
 * build on a machine of one's own reaches SLSA build level 1 and no more.
 */
export interface Material {
  readonly uri: string;
  readonly digest: Readonly<Record<string, string>>;
}

export interface BuildFacts {
  readonly name: string;
  /** Hex of the manifest's SHA-256. */
  readonly digest: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly engine: { readonly name: string; readonly version: string };
  readonly materials: readonly Material[];
  readonly isClean: boolean;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

export function buildProvenance(facts: BuildFacts): Record<string, unknown> {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: facts.name, digest: { sha256: facts.digest } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://github.com/inferium/inferium/blob/main/docs/image.md#provenance",
        externalParameters: { dockerfile: "Dockerfile", arguments: facts.arguments },
        // Of a tree with changes, the commit says only what they were made to.
        internalParameters: { isClean: facts.isClean },
        resolvedDependencies: facts.materials,
      },
      runDetails: {
        builder: {
          id: "https://github.com/inferium/inferium/blob/main/image/build.ts",
          version: { [facts.engine.name]: facts.engine.version },
        },
        metadata: { startedOn: facts.startedAt.toISOString(), finishedOn: facts.finishedAt.toISOString() },
      },
    },
  };
}
