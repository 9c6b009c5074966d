# tidemark serve in a container: docs/operate.md. Any image with Node 20.19 or later and npm will do for NODE_IMAGE.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
RUN npm ci --ignore-scripts \
 && npm pack --silent --pack-destination /tmp \
 && npm install --global --prefix /opt/tidemark --ignore-scripts --omit=dev /tmp/tidemark-*.tgz

FROM ${NODE_IMAGE}
COPY --from=build /opt/tidemark /opt/tidemark
ENV PATH=/opt/tidemark/bin:$PATH \
    TIDEMARK_HOME=/data \
    TIDEMARK_CONFIG=/etc/tidemark/tidemark.yaml \
    NODE_DISABLE_COMPILE_CACHE=1
# A user without a name: nothing looks it up, and Kubernetes can tell from the number that it is not root.
RUN mkdir -p /data /etc/tidemark && touch /etc/tidemark/tidemark.yaml && chown 10001:10001 /data && chmod 700 /data
USER 10001:10001
VOLUME /data
EXPOSE 7070
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7070/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tidemark"]
CMD ["serve", "--listen", "0.0.0.0:7070"]
