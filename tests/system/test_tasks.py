"""Calls in sequence and in threads, and the table of their progress."""

import io
import threading
import time

import pytest

from awl_vae.system.errors import UserError
from awl_vae.system.progress_table import ProgressTable, Report, ReportingBar
from awl_vae.system.tasks import InSequence, InThreads, Task, engine_of


def task(function, *arguments, units=10):
    return Task(f"{function.__name__} {arguments}", function, arguments, units, num_threads=1)


def square(number, *, bar):
    bar.advance(10, "squaring")
    return number**2


@pytest.mark.parametrize("engine", [InSequence(), InThreads(2)])
def test_results_are_in_the_order_of_the_tasks(engine, capsys):
    assert engine.run([task(square, number) for number in range(5)]) == [0, 1, 4, 9, 16]
    assert "100 %" in capsys.readouterr().err
    assert engine.run([]) == []


def test_in_sequence_the_time_left_is_that_of_all_tasks(capsys):
    lefts = []

    def work(number, *, bar):
        bar.expect(10)
        lefts.append(bar.total - bar.done)

    InSequence().run([task(work, number) for number in range(3)])
    assert lefts == [30, 20, 10]


def test_within_a_task_its_bar_is_used():
    bar = ReportingBar("all", 20, lambda report: None)
    InSequence().run([task(square, 1), task(square, 2)], bar)
    assert bar.done == 20


def test_threads_run_side_by_side_and_no_more_than_asked_for():
    both, most, going, lock = threading.Barrier(2, timeout=30.0), 0, 0, threading.Lock()

    def work(number, *, bar):
        nonlocal going, most
        with lock:
            going += 1
            most = max(most, going)
        both.wait()
        with lock:
            going -= 1

    InThreads(2).run([task(work, number) for number in range(4)])
    assert most == 2


def test_one_that_fails_stops_those_beside_it():
    begun, stopped = threading.Event(), threading.Event()

    def fail(*, bar):
        begun.wait(30.0)
        raise UserError("Expected nothing")

    def go_on(*, bar):
        begun.set()
        try:
            while True:
                bar.show("going on")
                time.sleep(0.01)
        finally:
            stopped.set()

    with pytest.raises(UserError, match="Expected nothing"):
        InThreads(2).run([task(fail), task(go_on)])
    assert stopped.is_set()


@pytest.mark.parametrize("on", ["", "rya", "dask:here"])
def test_an_engine_that_is_none(on):
    with pytest.raises(UserError) as raised:
        engine_of(on)
    assert raised.value.in_flags == f"Expected --on=ray, or --on=ray:ADDRESS. Received: --on={on}"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def reports():
    yield Report("first", 5, 10, "epoch 1 of 2")
    yield Report("first", 0, 0, "", said="Note: of [1, 2].")
    yield Report("a part", 1, 4, "branch 1", is_part=True)


def test_the_table_on_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    with ProgressTable({"first": 10, "second": 30}, stream) as table:
        table.take(reports())
        table._rows.refresh()
        drawn = stream.getvalue()
        table.finish("first")
        table._rows.refresh()
        rest = stream.getvalue()[len(drawn) :]
    for text in ("Note: of [1, 2].", "epoch 1 of 2", "a part", " 25 %", "0 of 2 tasks finished"):
        assert text in drawn
    assert "first" not in rest
    assert "1 of 2 tasks finished" in rest


def test_the_table_in_a_file():
    stream = io.StringIO()
    with ProgressTable({"first": 10, "second": 30}, stream) as table:
        table._bar.interval = 0.0
        table.take(reports())
        table.take([Report("first", 2, 10, "begun again")])  # the share never falls
        table.finish("first")
        table.take([Report("second", 10, 10, "epoch 2 of 2")])
        table.finish("second")
    lines = stream.getvalue().splitlines()
    assert lines[0].endswith("0 of 2 tasks finished, 1 to come; first: epoch 1 of 2")
    assert lines[1] == "Note: of [1, 2]."
    assert [line.split(" %")[0][-3:] for line in lines if "%" in line] == [
        *([" 12"] * 3),
        " 25",
        *(["100"] * (len(lines) - 5)),
    ]
    assert lines[-1].endswith("2 of 2 tasks finished")
