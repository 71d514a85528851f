// testcontainers as its users write it: CONF and DATA are folders. Two containers at the same time.
const {GenericContainer, Wait} = require("testcontainers");
const [conf, data] = process.argv.slice(2);
const idle = "trap 'exit 0' TERM; cat /conf/file; echo ready; while :; do sleep 0.1; done";

function container(...mounts) {
  return new GenericContainer("rogate/base:bookworm")
    .withCommand(["sh", "-c", idle])
    .withBindMounts([{source: conf, target: "/conf"}, ...mounts])
    .withWaitStrategy(Wait.forLogMessage("ready"))
    .start();
}

async function main() {
  const [app, other] = await Promise.all([container({source: data, target: "/data"}), container()]);
  const written = await app.exec(["sh", "-c", "echo x >/data/x"]);
  if (written.exitCode !== 0) throw new Error(written.output);
  await Promise.all([app.stop(), other.stop()]);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
