"""A list of products: a detector each, and a table; in sequence and on Ray."""

import csv

import commands
import pytest
from conftest import read_csv, read_json
from photographs import write_good, write_layout

from awl_vae.detection import Detector
from awl_vae.system.errors import UserError
from awl_vae.system.tasks import InSequence
from awl_vae.training.fitting.products import fit_products, read_products, table_rows

SCRIPT = "fit_all.py"


def listed(path, *rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("rows", "received"),
    [
        ([{"product": "a"}], "products.csv, which has none"),
        ([{"product": "a", "folder": "f", "short_sid": "64"}], "short_sid"),
        ([{"product": "a:b", "folder": "f"}, {"product": "a-b", "folder": "g"}], "a-b in row 2"),
        ([{"product": "../a", "folder": "f"}], "../a in row 1"),
        ([{"product": "", "folder": "f"}], "none in row 1"),
    ],
)
def test_a_list_that_is_none(tmp_path, rows, received):
    with pytest.raises(UserError, match=received):
        read_products(listed(tmp_path / "products.csv", *rows))


def test_a_list_without_a_line(tmp_path):
    path = tmp_path / "products.csv"
    path.write_text("product,folder\n")
    with pytest.raises(UserError, match="Expected products. Received: none"):
        read_products(path)


def test_whatever_a_product_does_the_others_have_their_lines(tmp_path, monkeypatch):
    def out_of_memory(*_):
        raise MemoryError("no room")

    monkeypatch.setattr("awl_vae.training.fitting.products.fit", out_of_memory)
    products = read_products(
        listed(
            tmp_path / "products.csv",
            {"product": "bolt", "folder": "bolts", "short_side": "64"},
            {"product": "nut", "folder": "nuts", "short_side": "few"},
        )
    )
    rows = fit_products(
        products, tmp_path / "all", root=tmp_path, num_threads=1, engine=InSequence()
    )
    assert [row["product"] for row in rows] == ["bolt", "nut"]
    assert rows[0]["error"] == "MemoryError no room"
    assert rows[1]["error"].startswith("Expected ")
    assert [row["error"] for row in read_csv(tmp_path / "all/results.csv")] == [
        row["error"] for row in rows
    ]
    assert [line[0] for line in table_rows(rows)] == ["bolt", "nut"]


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    root = tmp_path_factory.mktemp("products")
    write_good(root / "bolts", 12)
    write_layout(root / "nuts", 12)
    (root / "empty").mkdir()
    (root / "without.txt").write_text("train/good/000.png\n")
    small = {"short_side": "64"}
    return listed(
        root / "products.csv",
        {"product": "bolt M4", "folder": "bolts", "false_alarm_rate": "0.05"} | small,
        {"product": "nut", "folder": str(root / "nuts")} | small,
        {"product": "washer", "folder": "empty"} | small,
        {"product": "rivet", "folder": "bolts", "precise": "perhaps"},
    )


@pytest.fixture(scope="module")
def fitted(products, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("detectors") / "all"
    flags = [products, f"--output_dir={output_dir}", "--num_threads=1"]
    return output_dir, commands.run(SCRIPT, *flags, expected=1)


@pytest.mark.slow
def test_each_product_has_a_detector_or_an_error(fitted):
    output_dir, command = fitted
    bolt, nut, washer, rivet = read_csv(output_dir / "results.csv")
    for row, name in ((bolt, "bolt M4"), (nut, "nut")):
        assert (row["product"], row["error"]) == (name, "")
        detector = Detector.load(output_dir / name)
        assert float(row["threshold"]) == detector.threshold.value
        assert 0.0 <= float(row["found"]) <= 1.0
        asked = read_json(output_dir / name / "fit.json")["settings"]
        assert asked["false_alarm_rate"] == (0.01 if row is nut else 0.05)
    assert bolt["auroc"] == "" != nut["auroc"]
    assert washer["error"].startswith("Expected ")
    assert rivet["error"] == "Expected another precise. Received: perhaps"
    assert not (output_dir / "rivet").exists()
    assert "| washer |" in command.stdout
    assert len({line for line in command.stdout.splitlines() if line.startswith("| ")}) == 5


@pytest.mark.slow
def test_on_ray_it_is_the_same_and_killed_it_goes_on(products, fitted, tmp_path):
    whole, _ = fitted
    flags = [products, f"--output_dir={tmp_path / 'all'}", "--num_threads=1", "--on=ray"]
    command = commands.Command(SCRIPT, *flags)
    commands.wait_until((tmp_path / "all/bolt M4/fit.json").exists)
    command.kill()
    commands.run(SCRIPT, *flags, expected=1)
    rows, expected = (read_csv(root / "results.csv") for root in (tmp_path / "all", whole))
    for row, other in zip(rows, expected, strict=True):
        assert row | {"model_dir": ""} == other | {"model_dir": ""}
    for name in ("calibration.csv", "detector.json"):
        assert (tmp_path / "all/nut" / name).read_bytes() == (whole / "nut" / name).read_bytes()
