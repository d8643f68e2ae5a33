"""Findings as Parquet files."""

import pyarrow.parquet
import pytest

from awl_vae.detection.finding import ANOMALOUS, UNREADABLE, FileState, Finding
from awl_vae.detection.journal import Journal
from awl_vae.detection.regions import Region
from awl_vae.detection.shards import write_shards
from awl_vae.system.errors import UserError


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "inspection.csv")
    region = Region(1, 2, 3, 4, 5, 0.25)
    state = FileState(7, 1_700_000_000_123_456_789)
    journal.append(Finding("/a\udce9.png", state, ANOMALOUS, score=1 / 3, regions=(region,)))
    journal.append(Finding("/b.png", None, UNREADABLE, error="cut, /b\udce9.png"))
    journal.close()
    return journal


def test_lines_are_values(journal, tmp_path):
    write_shards(tmp_path / "findings", journal.rows())
    found, unreadable = pyarrow.parquet.read_table(tmp_path / "findings").to_pylist()
    region = {"x": 1, "y": 2, "width": 3, "height": 4, "area": 5, "peak": 0.25}
    assert (found["path"], found["score"], found["regions"]) == ("/a\\xe9.png", 1 / 3, [region])
    assert (found["size"], found["modified"].value) == (7, 1_700_000_000_123_456_789)
    assert (unreadable["score"], unreadable["size"], unreadable["modified"]) == (None,) * 3
    assert (unreadable["regions"], unreadable["error"]) == ([], "cut, /b\\xe9.png")


def test_files_have_so_many_lines_and_are_written_anew(journal, tmp_path, monkeypatch):
    monkeypatch.setattr("awl_vae.detection.shards.SHARD_LINES", 1)
    write_shards(tmp_path / "findings", journal.rows())
    write_shards(tmp_path / "findings", list(journal.rows())[:1])
    names = [path.name for path in (tmp_path / "findings").iterdir()]
    assert names == ["part-00000.parquet"]


def test_what_is_somebody_elses_stays(journal, tmp_path):
    (tmp_path / "findings").mkdir()
    (tmp_path / "findings/own.txt").touch()
    with pytest.raises(UserError, match=r"own\.txt"):
        write_shards(tmp_path / "findings", journal.rows())
