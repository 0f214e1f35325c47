# The image of `dirsync controller`, and of every other command: `docker run dirsync:0.1.0 plan -f …`.
#
#   docker build -t REGISTRY/dirsync:0.1.0 .
#
# The base is pinned to the exact version that the tests run on. Whoever builds for production pins its digest as well
# (FROM node:…@sha256:…); it is not written here because it differs from one mirror of the registry to the next.
FROM node:24.21.0-bookworm-slim AS install
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# What is needed to run and nothing else; no package has anything to compile.
RUN npm ci --omit=dev --ignore-scripts
RUN mkdir state

FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY --from=install /app/node_modules node_modules
COPY package.json LICENSE ./
# Node runs TypeScript as it is, so what is in the image is what was reviewed.
COPY src src
# A named volume takes over the owner of the folder that it covers.
COPY --from=install --chown=65532:65532 /app/state /var/lib/dirsync
ENV NODE_ENV=production
# Nobody of the base image; the root file system may be read-only.
USER 65532:65532
EXPOSE 8080
# The flag is that of bin/dirsync.js: a small young generation, so that memory follows what is kept.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=50", "/app/src/cli/main.ts"]
CMD ["controller", "--state", "/var/lib/dirsync/state.db", "--listen", "0.0.0.0:8080"]
