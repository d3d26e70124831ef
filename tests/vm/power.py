"""Cuts the power of the virtual machine of tests/vm/run while it reads a drive, and sees that each read and hit that it announced
is in its store afterwards, and the store sound. Control P-12. The machine is killed: what its kernel had not written is lost."""

import pathlib
import random
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULT = ROOT / "target/vm/result"
# One life from boot to the moment at which reads come, on a busy machine.
PATIENCE_S = 300
# The drive takes 24 seconds.
DRIVE_S = 20


class Life:
    """The machine from when its power comes to when it is cut."""

    def __init__(self):
        RESULT.unlink(missing_ok=True)
        self.machine = subprocess.Popen([ROOT / "tests/vm/machine", "power"], stdin=subprocess.DEVNULL)

    def lines(self):
        # The last line may be cut off.
        return RESULT.read_text(errors="replace").replace("\r", "").split("\n")[:-1] if RESULT.exists() else []

    def wait(self, wanted):
        end = time.monotonic() + PATIENCE_S
        while not any(line.startswith(wanted) for line in self.lines()):
            if self.machine.poll() is not None or time.monotonic() > end:
                sys.exit("vm: FAILED, waited in vain for '%s':\n%s" % (wanted, "\n".join(self.lines()[-20:])))
            time.sleep(0.02)

    def cut(self):
        self.machine.kill()
        self.machine.wait()
        return self.lines()


def named(lines, what):
    return {line.split()[1] for line in lines if line.startswith(what + " ")}


def main(times):
    seed = time.time_ns() % 1_000_000
    chance = random.Random(seed)
    print("vm: %d power cuts, seed %d" % (times, seed), flush=True)
    announced, hits, began, in_start = set(), set(), time.monotonic(), 0
    for moment in range(times + 1):
        life = Life()
        # One in five does not live to tell what it has: the store is being opened, or put right.
        is_last = moment == times
        if not is_last and chance.random() < 0.2:
            life.wait("opening")
            time.sleep(chance.uniform(0, 1))
            life.cut()
            in_start += 1
            continue
        life.wait("told")
        lost = (announced - named(life.lines(), "stored")) | (hits - named(life.lines(), "alerted"))
        if lost or "NOT SOUND" in life.lines() or "sound" not in life.lines():
            print("\n".join(life.lines()[-20:]))
            sys.exit("vm: FAILED at cut %d: %d announced reads and hits are not in the store" % (moment, len(lost)))
        if is_last:
            life.cut()
            break
        life.wait("read")
        time.sleep(chance.uniform(0, DRIVE_S))
        lines = life.cut()
        announced |= named(lines, "read")
        hits |= named(lines, "hit")
    print(
        "vm: power cut %d times (%d of them while it started), %d reads and %d hits announced, all of them kept, %.0f s"
        % (times, in_start, len(announced), len(hits), time.monotonic() - began)
    )


main(int(sys.argv[1]))
