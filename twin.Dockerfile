# The local twin: the whole platform in one container, for trying it out. docs/twin.md says how to run it.
FROM node:24-bookworm-slim
WORKDIR /app
COPY . .
# Also builds the Lambda layers, and brings the PostgreSQL that the twin runs.
RUN npm ci && npm cache clean --force
# So that a start need not: it takes seconds then.
RUN node scripts/synthesize-twin.ts
RUN mkdir /data && chown -R node /data .build
USER node
ENV TENANTML_DATA_DIR=/data
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.TENANTML_PORT ?? 5000}/api/v1/ml/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Signals reach the twin itself: it stops what it runs, and PostgreSQL last.
ENTRYPOINT ["node", "local/main.ts"]
