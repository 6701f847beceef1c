# The model server: tenantml serve, without the rest of the platform. docs/serving.md says how to run it.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: the server needs neither the Lambda layers nor what packages would fetch.
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build-server.ts /server

FROM node:24-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /server /server
RUN mkdir /models && chown node /models
USER node
VOLUME /models
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/ping').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Signals reach the server itself: it has no shell above it.
ENTRYPOINT ["node", "/server/server.mjs", "serve", "--models", "/models", "--host", "0.0.0.0", "--drain", "5"]
