"""What is done now and then."""

import pytest

from awl_vae.system.paced import Paced


@pytest.mark.parametrize(("takes", "between"), [(0.0, 5.0), (0.125, 5.0), (2.0, 40.0)])
def test_it_is_done_at_most_every_few_seconds_and_a_share_of_the_time(monkeypatch, takes, between):
    now, done = 0.0, []
    monkeypatch.setattr("time.monotonic", lambda: now)

    def act():
        nonlocal now
        now += takes
        done.append(now)

    paced = Paced(act, seconds=5.0, share=0.05)
    paced.tend()
    assert done == []  # nobody has asked
    paced.ask()
    paced.ask()
    assert done == [takes]
    now = takes + between - 0.5
    paced.tend()
    assert len(done) == 1
    now = takes + between
    paced.tend()
    assert len(done) == 2
    now += 1000.0
    paced.tend()
    assert len(done) == 2  # nothing was asked for since
