"""What a stranger's detector folder can do: nothing but be wrong."""

import json
import os
import zipfile

import keras
import pytest
from conftest import black_detector

from awl_vae.detection import Detector, DetectorError


def spoil(directory, edit):
    """Writes a detector whose `scorer.keras` is edited: its configuration and its files."""
    black_detector().save(directory)
    path = directory / "scorer.keras"
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    edit(config, files)
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def layer(config):
    return config["config"]["model"]["config"]["layers"][1]


def os_system(command):
    def edit(config, files):
        layer(config).update(module="os", class_name="system", registered_name=None, config=command)

    return edit


def popen(command):
    def edit(config, files):
        config.update(module="subprocess", class_name="Popen", registered_name="Popen")
        config["config"] = {"args": command, "shell": True}

    return edit


def evaluated(command):
    def edit(config, files):
        found = layer(config)
        found.update(module="builtins", class_name="function", registered_name="function")
        found["config"] = "exec"

    return edit


def lambda_layer(command):
    def edit(config, files):
        code = keras.layers.Lambda(lambda x: (os.system("touch pwned"), x)[1], name="rescaling")
        layer(config).update(keras.saving.serialize_keras_object(code))

    return edit


@pytest.mark.parametrize("attack", [os_system, popen, evaluated, lambda_layer])
def test_no_code_of_a_detector_is_run(tmp_path, monkeypatch, attack):
    monkeypatch.chdir(tmp_path)
    spoil(tmp_path / "detector", attack("touch pwned"))
    with pytest.raises(DetectorError, match="Expected the directory of a detector"):
        Detector.load(tmp_path / "detector")
    assert [path.name for path in tmp_path.iterdir()] == ["detector"]


def test_no_file_of_an_archive_gets_out_of_it(tmp_path, monkeypatch):
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)

    def edit(config, files):
        files["../../../pwned"] = files[f"{tmp_path}/pwned"] = b"x"

    spoil(inner / "detector", edit)
    with pytest.warns(UserWarning, match="Skipping invalid path"):
        Detector.load(inner / "detector")
    assert not list(tmp_path.rglob("*pwned*"))


@pytest.mark.slow
def test_a_network_that_is_none_is_an_error_of_one_line(tmp_path):
    spoil(tmp_path, lambda config, files: config["config"].update(image_size=[2**20, 2**20]))
    with pytest.raises(DetectorError, match="Expected the directory of a detector") as error:
        Detector.load(tmp_path)
    assert "\n" not in str(error.value)


def change(directory, edit):
    path = directory / "detector.json"
    settings = json.loads(path.read_text())
    edit(settings)
    path.write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda s: s["threshold"].update(value="abc"),
            "Expected a finite number as threshold.value",
        ),
        (lambda s: s["threshold"].update(value=float("inf")), "Infinity is no finite number"),
        (lambda s: s["threshold"].update(method="magic"), "Expected a threshold among quantile"),
        (
            lambda s: s["threshold"]["false_alarms"].update(rate=None),
            "a finite number as threshold.false_alarms.rate",
        ),
        (lambda s: s.update(pixel_threshold="x"), "a finite number as pixel_threshold"),
        (lambda s: s.update(resize="foo"), "Expected a resize among stretch, pad, crop"),
        (lambda s: s.update(score="foo"), "Expected a score among mse"),
        (lambda s: s.update(score="max1p"), "Expected a scorer.keras of the score"),
        (lambda s: s.update(image_size=[32, 32]), "Expected a scorer.keras of the score"),
        (lambda s: s.update(format=2), "Expected a detector of format 1"),
        (lambda s: s.pop("threshold"), "Expected an object as threshold"),
        (lambda s: s["threshold"].update(setting="much"), "a finite number or null as threshold"),
        (lambda s: s["threshold"].update(setting=None), "Expected a setting of manual"),
        (lambda s: s["threshold"]["false_alarms"].update(num_normal=0), "num_normal of at least 1"),
        (lambda s: s["threshold"]["false_alarms"].update(count=-7), "count of at least 0"),
        (
            lambda s: s["threshold"]["false_alarms"].update(rate=5),
            r"rate of false alarms in \[0, 1\]",
        ),
        (lambda s: s.update(pixel_threshold=0), "Expected a pixel_threshold above 0"),
        (
            lambda s: s["threshold"].update(value=0.3),
            "a manual threshold whose value is its setting. Received: 0.3 and 0.25",
        ),
        (
            lambda s: s["threshold"]["false_alarms"].update(num_normal=7),
            "false_alarms.num_normal=3, as in calibration.csv. Received: 7",
        ),
        (
            lambda s: s["threshold"].update(value=0.05, setting=0.05),
            "false_alarms.count=3, as in calibration.csv. Received: 0",
        ),
        (lambda s: s.update(pixel_threshold=True), "Expected a finite number as pixel_threshold"),
    ],
)
def test_a_value_that_a_detector_cannot_have_is_an_error_of_one_line(tmp_path, edit, expected):
    black_detector().save(tmp_path)
    change(tmp_path, edit)
    with pytest.raises(DetectorError, match=expected) as error:
        Detector.load(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "image,split,label,score\n",
        "image,score\na,0.1\n",
        "image,split,label,score\na,calibration,0,much\n",
        "image,split,label,score\na,calibration,0,0.1,more\n",
        "image,split,label,score\n" + 3 * "a,calibration,1,0.1\n",
        "image,split,label,score\n" + 2 * "a,calibration,0,0.1\n",
    ],
)
def test_a_calibration_that_is_none(tmp_path, text):
    black_detector().save(tmp_path)
    (tmp_path / "calibration.csv").write_text(text)
    with pytest.raises(DetectorError, match="calibration.csv"):
        Detector.load(tmp_path)


def test_another_model_in_the_place_of_the_scorer(tmp_path):
    black_detector().save(tmp_path)
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]).save(tmp_path / "scorer.keras")
    with pytest.raises(DetectorError, match="Received: another model"):
        Detector.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": {"setting": "x"}},
        {"threshold": {"setting": [1]}},
        {"threshold": {"method": "quantile", "setting": 0}},
        {"threshold": {"method": "youden", "setting": 0.5}},
        {"threshold": {"false_alarms": []}},
        {"threshold": {"value": "0.1"}},
        {"threshold": []},
        {"score": ["mse"]},
        {"image_size": 16},
    ],
    ids=str,
)
def test_what_detector_json_may_not_hold_is_one_line(tmp_path, change):
    black_detector().save(tmp_path)
    path = tmp_path / "detector.json"
    settings = json.loads(path.read_text())
    for name, value in change.items():
        is_part = isinstance(value, dict) and isinstance(settings[name], dict)
        settings[name] = settings[name] | value if is_part else value
    path.write_text(json.dumps(settings))
    with pytest.raises(DetectorError, match=r"^Expected .* Received: .*$"):
        Detector.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("detector.json", "[" * 100_000),
        ("calibration.csv", "image,split,label,score\n" + "x" * 200_000),
        ("calibration.csv", "image,split,label,score\na,calibration,0,nan"),
        ("scorer.keras", "no archive"),
    ],
)
def test_files_that_no_library_takes_are_one_line(tmp_path, name, content):
    black_detector().save(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(DetectorError, match=r"^Expected .* Received: .*$"):
        Detector.load(tmp_path)


def test_a_file_that_is_missing_or_cut_off_is_named_with_what_is_wrong(tmp_path):
    black_detector().save(tmp_path)
    network, calibration = tmp_path / "scorer.keras", tmp_path / "calibration.csv"

    def error():
        with pytest.raises(DetectorError) as caught:
            Detector.load(tmp_path)
        return str(caught.value)

    network.write_bytes(network.read_bytes()[:-30])
    assert error().endswith(f"Received: {network}, which is cut off or no archive")
    network.unlink()
    assert error().endswith(f"Received: {network}, which is not there")
    calibration.unlink()
    assert error().endswith(f"Received: No such file or directory, {calibration}")


def test_a_configuration_that_keras_stumbles_over_is_one_line(tmp_path):
    def edit(config, files):
        layer(config)["config"]["dtype"] = {"class_name": 1}

    spoil(tmp_path / "detector", edit)
    with pytest.raises(DetectorError, match="Expected the directory of a detector"):
        Detector.load(tmp_path / "detector")
