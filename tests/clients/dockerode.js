// dockerode with attached streams and an exec, on one engine: CONF and DATA are folders.
const Docker = require("dockerode");
const {PassThrough} = require("stream");
const [conf, data] = process.argv.slice(2);
const docker = new Docker();

async function run(binds, command) {
  const said = new PassThrough();
  let text = "";
  said.on("data", (piece) => (text += piece));
  const [result, container] = await docker.run("rogate/base:bookworm", ["sh", "-c", command], said, {HostConfig: {Binds: binds}});
  await container.remove();
  if (result.StatusCode !== 0) throw new Error(`code ${result.StatusCode}: ${text}`);
  return text;
}

async function main() {
  const text = await run([`${conf}:/conf`, `${data}:/data`], "cat /conf/file; echo x >/data/x");
  if (!text.includes("text")) throw new Error(`the stream said: ${text}`);
  const container = await docker.createContainer({
    Image: "rogate/base:bookworm", Cmd: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"],
    HostConfig: {Mounts: [{Type: "bind", Source: conf, Target: "/conf"}]},
  });
  await container.start();
  const exec = await container.exec({Cmd: ["cat", "/conf/file"], AttachStdout: true});
  const stream = await exec.start({hijack: true, stdin: false});
  await new Promise((resolve) => stream.on("end", resolve).resume());
  const {ExitCode: code} = await exec.inspect();
  await container.stop();
  await container.remove();
  if (code !== 0) throw new Error(`exec ended with code ${code}`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
