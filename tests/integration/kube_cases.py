"""Subjects that exist already: a container on the engine."""
import os

from support import IDLE, IMAGE, contains, docker, engine_is_podman, equal, fingerprint, project, rogate


def test_live_container_is_cloned_and_left_alone():
    name = "rogate-test-live"
    with project() as p:
        p.make("conf", {"file": "text\n"})
        docker("run", "-d", "--name", name, "-e", "SECRET=dont-tell-me", "-v", f"{p.path('conf')}:/conf", "-v", "/anonymous",
               "--tmpfs", "/scratch:size=1m", "--cap-drop", "MKNOD", IMAGE, "sh", "-c",
               "test -e /anonymous/first || echo original >/anonymous/first; cat /conf/file /anonymous/first;"
               "echo $SECRET >/scratch/x || exit 3; " + IDLE)
        try:
            docker("exec", name, "sh", "-c", "echo mine >/anonymous/kept")
            volume = docker("inspect", "-f", "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Source}}{{end}}{{end}}", name)
            state = "{{.State.StartedAt}} {{.State.Running}} {{.RestartCount}} {{json .NetworkSettings.Networks}}"
            before = (docker("inspect", "-f", state, name), fingerprint(p.path("conf")), fingerprint(volume))
            with open(p.path("scenario.yaml"), "w") as out:
                out.write(f"subject: {{container: {name}}}\nready: {{timeout: 15s, log: started}}\n"
                          "steps:\n  - {name: has the data, exec: cat /anonymous/kept, expect: {equals: mine}}\n")
            done = p.run()
            equal(done.returncode, 0, done.stdout + done.stderr)
            equal(p.verdicts(), {"/anonymous": "safe", "/conf": "safe", "/scratch": "required"}, done.stdout)
            equal(p.result["subject"]["origin"]["kind"], "container")
            with open(p.path("out/result.json")) as file:
                assert "dont-tell-me" not in file.read()
            equal((docker("inspect", "-f", state, name), fingerprint(p.path("conf")), fingerprint(volume)), before,
                  "the original was touched")
        finally:
            docker("rm", "-fv", name)


def test_live_container_that_is_not_there():
    done = rogate("run", "--container", "rogate-test-nobody")
    assert done.returncode != 0
    contains(done.stderr, "cloning container 'rogate-test-nobody'", "o such container")


def test_live_container_on_its_networks():
    network, app, peer = "rogate-test-net", "rogate-test-app", "rogate-test-peer"
    try:
        docker("network", "create", network)
        docker("run", "-d", "--name", peer, "--network", network, "--network-alias", "db", IMAGE, "sh", "-c", IDLE)
        docker("run", "-d", "--name", app, "--network", network, IMAGE, "sh", "-c", "timeout 3 getent hosts db || exit 5; " + IDLE)
        for where, code in (("join", 0), ("own", 1)):
            with project() as p:
                with open(p.path("scenario.yaml"), "w") as out:
                    out.write(f"subject: {{container: {{name: {app}, network: {where}}}}}\n"
                              "ready: {timeout: 15s, log: started}\ncandidates: [/]\n")
                done = p.run()
                # Of a read-only root podman's runs show nothing.
                equal(done.returncode, 4 if code == 0 and engine_is_podman() else code, done.stdout + done.stderr)
    finally:
        docker("rm", "-f", app, peer)
        docker("network", "rm", network)
