"""One Ctrl-C ends a command with one line and the status 130, whenever it comes."""

import os
import random
import signal
import subprocess
import sys
import time

import commands
import cv2
import pytest
from conftest import black_detector, make_folder, stripes, tiny

PLAIN = "\nInterrupted.\n"
GOES_ON = "\nInterrupted. The same command goes on from here.\n"

INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # Tests may be run behind `nohup`.
"""

COMMAND = """
import signal, sys, time, weakref
from awl_vae.experiments.command import run

def lost():
    class Referent: pass
    referent = Referent()
    reference = weakref.ref(referent, lambda _: signal.raise_signal(signal.SIGINT))
    del referent  # What the callback raises is forgotten.

def main():
{body}

run(main, goes_on=lambda: {goes_on})
"""


def run_body(*lines, goes_on=False):
    """Runs a command whose work is these lines."""
    body = "\n".join(f"    {line}" for line in lines)
    program = INTERRUPTIBLE + COMMAND.format(body=body, goes_on=goes_on)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("goes_on", [False, True])
def test_an_interrupt_that_is_lost_comes_again(goes_on):
    finished = run_body("lost()", "while True: time.sleep(0.01)", goes_on=goes_on)
    assert finished.returncode == 130
    assert finished.stderr == (GOES_ON if goes_on else PLAIN)


@pytest.mark.parametrize("end", ["return 0", "raise OSError('of another kind')", "sys.exit(3)"])
def test_an_interrupt_that_is_lost_at_the_end_has_the_last_word(end):
    finished = run_body("lost()", end)
    assert finished.returncode == 130
    assert finished.stderr == PLAIN


def test_what_cleans_up_after_an_interrupt_is_not_interrupted_again():
    cleaning = ["    time.sleep(1.0)", "    print('clean')"]
    finished = run_body("try: signal.raise_signal(signal.SIGINT)", "finally:", *cleaning)
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "clean\n", PLAIN)


def test_what_the_c_code_of_tensorflow_calls_is_not_interrupted():
    finished = run_body(
        "space = {'__name__': 'tensorflow.python.ops.gen_any_ops'}",
        "exec('def op(function): function()', space)",
        "space['op'](lambda: [signal.raise_signal(signal.SIGINT), print('whole')])",
        "while True: time.sleep(0.01)",
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "whole\n", PLAIN)


MANY_INTERRUPTS = """
import random, signal
import awl_vae.system.quiet_tensorflow
import tensorflow as tf
from awl_vae.system.interrupts import interruptible

dataset = tf.data.Dataset.range(400).batch(16).map(lambda x: tf.ensure_shape(x, [None]))
double = tf.function(lambda x: 2 * x)

def work():
    while True:
        for batch in dataset:
            double(batch).numpy()

for _ in range(200):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A timer's signal comes at any moment, one of a thread or a process where this one waits.
    signal.signal(signal.SIGVTALRM, lambda *args: signal.getsignal(signal.SIGINT)(*args))
    signal.setitimer(signal.ITIMER_VIRTUAL, random.uniform(0.0005, 0.02))
    try:
        interruptible(work)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.slow
def test_tensorflow_survives_many_interrupts():
    finished = subprocess.run(
        [sys.executable, "-c", MANY_INTERRUPTS], capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "interrupted\n" * 200


def test_where_interrupts_are_ignored_they_stay_so():
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    program = COMMAND.format(body="    signal.raise_signal(signal.SIGINT); return 3", goes_on=True)
    finished = subprocess.run([sys.executable, "-c", f"{ignoring}\n{program}"], check=False)
    assert finished.returncode == 3


AS_A_FILE = f"""{INTERRUPTIBLE}
import runpy, sys
sys.path[0] = sys.argv[1].rpartition("/")[0]
del sys.argv[0]
import checkout
print(flush=True)
runpy.run_path(sys.argv[0], run_name="__main__")
"""

AS_A_COMMAND = f"""{INTERRUPTIBLE}
import sys
import awl_vae.__main__
from awl_vae.system.interrupts import exit_at_interrupts
exit_at_interrupts()  # as it begins
print(flush=True)
awl_vae.__main__.main()
"""


def interrupted(arguments, seconds):
    """Starts Python, and interrupts it so long after our first line; returns what it ended with."""
    process = subprocess.Popen(
        [sys.executable, "-c", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    try:
        _, stderr = process.communicate(timeout=300)
    finally:
        process.kill()
    return process.returncode, stderr


def assert_ended_quietly(status, stderr, *lines):
    assert status == 130, stderr
    assert "Traceback" not in stderr
    assert stderr.endswith(lines)


@pytest.mark.parametrize("seconds", [0.0, 0.4])
def test_while_a_command_is_imported(tmp_path, seconds):
    folder, script = make_folder(tmp_path / "photographs"), commands.SCRIPTS / "run_auc_adapted.py"
    flags = tiny(folder, tmp_path / "run", "--epochs=1000")
    found = interrupted([AS_A_FILE, script, *flags], seconds)
    assert_ended_quietly(*found, PLAIN, GOES_ON)
    black_detector().save(tmp_path / "detector")
    export = ["export", f"--model_dir={tmp_path / 'detector'}", "--format=onnx"]
    found = interrupted([AS_A_COMMAND, *export], seconds)
    assert_ended_quietly(*found, PLAIN)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(12))
def test_at_any_moment_of_a_cold_start(tmp_path, seed):
    folder, script = make_folder(tmp_path / "photographs"), commands.SCRIPTS / "run_auc_adapted.py"
    flags = tiny(folder, tmp_path / "run", "--epochs=1000")
    found = interrupted([AS_A_FILE, script, *flags], random.Random(seed).uniform(0.0, 12.0))
    assert_ended_quietly(*found, PLAIN, GOES_ON)


def interrupt_training(folder, run, seconds):
    """Interrupts a training so long after it has its directory; a thousand epochs are no end."""
    command = commands.Command("run_auc_adapted.py", *tiny(folder, run, "--epochs=1000"))
    command.wait_for_lines(run / ".lock", 0)
    time.sleep(seconds)
    command.interrupt()
    assert_ended_quietly(command.wait(), command.stderr, GOES_ON)


@pytest.mark.parametrize("is_kept", [True, False])
def test_an_inspection_goes_on_where_its_output_is_kept(tmp_path, is_kept):
    black_detector().save(tmp_path / "detector")
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "image.png"), stripes(0, size=(600, 800)))
    for index in range(3000):
        os.link(tmp_path / "image.png", tmp_path / f"images/{index:04d}.png")
    output = tmp_path / "output"
    flags = [f"--model_dir={tmp_path / 'detector'}", f"--images={tmp_path / 'images'}"]
    flags += [f"--output_dir={output}"] if is_kept else []
    command = commands.Command("inspect_images.py", *flags)
    lines = output / "inspection.csv" if is_kept else command.output / "stdout"
    command.wait_for_lines(lines, 5)
    command.interrupt()
    assert_ended_quietly(command.wait(), command.stderr, GOES_ON if is_kept else PLAIN)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_at_a_moment_of_a_training(image_folder, tmp_path, seed):
    interrupt_training(image_folder, tmp_path / "run", random.Random(seed).uniform(0.0, 4.0))


@pytest.mark.exhaustive
def test_at_many_moments_of_a_training(image_folder, tmp_path):
    moments = random.Random(0)
    for index in range(30):
        interrupt_training(image_folder, tmp_path / str(index), moments.uniform(0.0, 6.0))
