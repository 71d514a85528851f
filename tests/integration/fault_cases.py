"""Every call to the engine goes wrong in every way: exit code 3 with the call's name, or a repetition that succeeds; no verdict
that was not earned; nothing left; the user's data as they were.

Calls of one kind (GET /containers/ID/json) are alike: the middle one of each kind stands for all of them. A sample by default: every
fourth of those with one of the modes (every second in the long form). ROGATE_FAULTS=kinds takes each mode at each of those calls, ROGATE_FAULTS=all each mode at every call,
and with ROGATE_FAULT_EVERY=k every k-th of these (ci/faults.sh).
"""
import collections
import concurrent.futures
import os
import re
import subprocess
import time

from faulty_engine import MODES, FaultyEngine
from support import IDLE, LONG, contains, equal, fingerprint, left_after, needs_ebpf, project, rogate

WHICH = os.environ.get("ROGATE_FAULTS", "sample")
ONLY = os.environ.get("ROGATE_FAULT_MODES", "").split(",") if os.environ.get("ROGATE_FAULT_MODES") else MODES
EARNED = {"/data": "required", "/conf": "safe"}
TIMEOUT = "15"
AT_A_TIME = 3
EVERY = int(os.environ.get("ROGATE_FAULT_EVERY", "1"))


def written(p):
    p.make("data", {"file": "text\n"})
    p.make("conf", {"file": "text\n"})
    p.scenario("cat /data/file /conf/file; echo x >/data/new || { sleep 0.5; exit 3; }; " + IDLE, ["./data:/data", "./conf:/conf"],
               [{"name": "writes", "exec": "echo y >/data/more"}], candidates=["/data", "/conf"], shutdown={"timeout": "3s"})


def run_through(p, engine, timeout=TIMEOUT):
    with engine:
        done = p.run("--quiet", env={"DOCKER_HOST": engine.address, "ROGATE_ENGINE_TIMEOUT": timeout})
    return done


def judge(p, engine, done, before):
    """The outcome's name; an assertion when it is none of those that may be."""
    text = done.stdout + done.stderr
    about = f"call {engine.number} ({(engine.calls + ['?'] * engine.number)[engine.number - 1]}), {engine.mode}: exit code {done.returncode}\n{text}"
    # An engine that says that it stored an archive, and did not, lets the control run fail.
    assert done.returncode in (0, 3, 4) or (done.returncode == 1 and engine.mode == "wrong"), about
    verdicts = p.verdicts() if p.result else {}
    shown = {target: verdict for target, verdict in verdicts.items() if target in EARNED}
    assert engine.struck or done.returncode == 0, "failed without a fault: " + about
    if done.returncode == 3:
        words = ("engine: ", "cannot reach the engine", "observer", "no Docker engine")
        assert any(word in done.stderr for word in words), about
        for target, verdict in shown.items():
            assert verdict in (EARNED[target], "inconclusive"), about
    elif done.returncode == 0:
        equal(shown, EARNED, about)
    elif done.returncode == 1:
        equal(set(shown.values()), {"inconclusive"}, about)
    else:  # an observer that is gone makes verdicts inconclusive
        assert "inconclusive" in shown.values(), about
        for target, verdict in shown.items():
            assert verdict in (EARNED[target], "inconclusive"), about
    equal(fingerprint(p.path("data")) + fingerprint(p.path("conf")), before, about)
    return done.returncode


def try_one(number, mode):
    """Exit code and account of one campaign with one fault."""
    with project() as p:
        written(p)
        before = fingerprint(p.path("data")) + fingerprint(p.path("conf"))
        engine = FaultyEngine(number, mode)
        start = time.monotonic()
        # A short timeout only where it is what ends the call: a busy machine is no fault.
        done = run_through(p, engine, TIMEOUT if mode == "hang" else "60")
        code = judge(p, engine, done, before)
        call = engine.calls[number - 1] if number <= len(engine.calls) else "not made"
        return code, f"{number:3} {mode:10} {call[:60]:60} exit code {code} in {time.monotonic() - start:.1f} s"


def matrix(pairs):
    """Some at a time; what they left is looked for when all of them have ended."""
    outcomes = collections.Counter()
    failures = []
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for first in range(0, len(pairs), AT_A_TIME):
            batch = pairs[first:first + AT_A_TIME]
            for pair, future in [(pair, pool.submit(try_one, *pair)) for pair in batch]:
                try:
                    code, account = future.result()
                    outcomes[pair[1], code] += 1
                    if os.environ.get("ROGATE_FAULT_LOG"):
                        print(account, flush=True)
                except (AssertionError, subprocess.TimeoutExpired) as error:
                    failures.append(f"{pair}: {error}")
                    print(failures[-1], flush=True)
            left = left_after(10)
            if left:
                failures.append(f"{batch}: left on the engine: {left}")
                rogate("clean")
            if len(failures) >= 10:
                break
    for (mode, code), count in sorted(outcomes.items()):
        print(f"{mode:10} exit code {code}: {count}")
    assert not failures, f"{len(failures)} failures:\n" + "\n----\n".join(failures)


def kind_of(call):
    """Names and numbers of single objects are left out: GET /v1.41/containers/*/json."""
    return re.sub(r"(?<=/)(rogate-[^/]*|[0-9a-f]{64}|sha256:[0-9a-f]+|[^/]*:[^/]*)", "*", call)


def calls_of_a_campaign():
    with project() as p:
        written(p)
        engine = FaultyEngine()
        done = run_through(p, engine, "60")
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal({t: v for t, v in p.verdicts().items() if t in EARNED}, EARNED)
        return engine.calls


def chosen(calls):
    """(number, mode) of the faults to try."""
    kinds = collections.defaultdict(list)
    for number, call in enumerate(calls, 1):
        kinds[kind_of(call)].append(number)
    middle = [numbers[len(numbers) // 2] for numbers in kinds.values()]
    if WHICH == "sample":
        return [(number, MODES[i * 5 % len(MODES)]) for i, number in enumerate(middle[::2 if LONG else 4])]
    # The number of calls changes from campaign to campaign: every k-th pair takes other modes at other calls.
    return [(number, mode) for mode in ONLY for number in (middle if WHICH == "kinds" else range(1, len(calls) + 1))][::EVERY]


def test_faults_at_calls_of_every_kind():
    calls = calls_of_a_campaign()
    pairs = chosen(calls)
    start = time.monotonic()
    matrix(pairs)
    print(f"{len(pairs)} faults at {len(calls)} calls in {time.monotonic() - start:.0f} s")


def test_engine_that_never_answers():
    with project() as p:
        written(p)
        engine = FaultyEngine(1, "hang")
        start = time.monotonic()
        done = run_through(p, engine)
        equal(done.returncode, 3, done.stderr)
        # The first call of all waits for a sixth of an ordinary one's time.
        contains(done.stderr, "GET /version: no answer from the engine within 2500 ms")
        assert time.monotonic() - start < 45


def test_doctor_blames_the_kernel_for_no_container_that_the_engine_does_not_start():
    needs_ebpf()

    def doctor(engine):
        with engine:
            return rogate("doctor", env={"DOCKER_HOST": engine.address})

    whole = FaultyEngine()
    equal(doctor(whole).returncode, 0)
    first = next(number for number, call in enumerate(whole.calls, 1) if call.endswith("/start"))
    done = doctor(FaultyEngine(first, "500"))
    equal(done.returncode, 0, done.stdout + done.stderr)
    contains(done.stdout, "no    observer   ebpf: engine: POST /containers/", "it is the engine that cannot start this container",
             "--observer auto takes ptrace")
    assert "BTF" not in done.stdout, done.stdout
