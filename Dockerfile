# syntax=docker/dockerfile:1
# One image, a role by argument: docker run IMAGE operator | agent | worker | validator.
#   BASE        what the program runs on: glibc and CA certificates; Node comes with the dependencies
#   BUILD_BASE  what it is built on: the same, with npm
#   CUDA        1 keeps onnxruntime's CUDA provider; BASE must then hold the CUDA and cuDNN libraries, such as nvidia/cuda:*-cudnn-runtime-*
ARG BASE=docker.io/library/debian:12-slim
ARG BUILD_BASE=docker.io/library/node:24-bookworm-slim

FROM ${BUILD_BASE} AS build
ARG CUDA=0
ENV ONNXRUNTIME_NODE_INSTALL_CUDA=skip
WORKDIR /app
COPY package.json package-lock.json .npmrc* ./
RUN npm ci --ignore-scripts && npm rebuild node
COPY . .
RUN node_modules/.bin/node bundle.ts && cp -L node_modules/node/bin/node /node
# Then only what the bundle resolves at run time, for linux and this architecture.
RUN npm prune --omit=dev --ignore-scripts && mkdir /out \
 && mkdir -p /out/node_modules /out/contracts && cp -r dist package.json LICENSE crds /out/ && cp -r contracts/artifacts /out/contracts/ \
 && for name in onnxruntime-node onnxruntime-common tiny-secp256k1 uint8array-tools; do cp -r node_modules/$name /out/node_modules/; done \
 && cd /out/node_modules/onnxruntime-node/bin/napi-v* && find . -mindepth 1 -maxdepth 1 ! -name linux -exec rm -r {} + \
 && arch=$([ "$(uname -m)" = aarch64 ] && echo arm64 || echo x64) && find linux -mindepth 1 -maxdepth 1 ! -name "$arch" -exec rm -r {} + \
 && if [ "$CUDA" != 1 ]; then find linux -name '*cuda*' -delete; find linux -name '*tensorrt*' -delete; fi

FROM ${BASE}
COPY --from=build /node /usr/local/bin/node
COPY --from=build --chown=0:0 /out /app
ENV NODE_ENV=production ORT_DISABLE_TELEMETRY=1
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["--help"]
