# syntax=docker/dockerfile:1
# One image, a role by argument: docker run IMAGE operator | agent | worker | validator. docs/image.md tells what is in it.
#   BUILD_BASE  what it is built on: Debian with npm
#   BASE        what it runs on: nothing (its libraries come from BUILD_BASE), or an image with glibc
#   CUDA        12 adds onnxruntime's CUDA provider, which is fetched while building; BASE must then hold CUDA 12 and cuDNN 9,
#               such as docker.io/nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04
ARG BUILD_BASE=docker.io/library/node:24-bookworm-slim
ARG BASE=scratch

FROM ${BUILD_BASE} AS build
ARG CUDA=""
ENV ONNXRUNTIME_NODE_INSTALL_CUDA=skip
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The secrets are optional: a registry, and who certified it, that are not npm's own.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi \
 && npm ci --ignore-scripts && npm rebuild node \
 && if [ -n "$CUDA" ]; then ONNXRUNTIME_NODE_INSTALL="cuda$CUDA" npm rebuild --ignore-scripts=false --foreground-scripts onnxruntime-node; fi
COPY . .
ARG BASE
RUN node_modules/.bin/node bundle.ts && node_modules/.bin/node image/assemble.ts /out

FROM ${BASE}
COPY --from=build /out /
ENV NODE_ENV=production ORT_DISABLE_TELEMETRY=1
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["--help"]
