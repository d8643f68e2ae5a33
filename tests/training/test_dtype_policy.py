"""The precision that a machine is fast with."""

import commands
import pytest
from conftest import read_json, tiny

from awl_vae.training import runtime
from awl_vae.training.resolve import resolve


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 vaes", "mixed_bfloat16"),
        ("flags\t\t: fpu amx_bf16", "mixed_bfloat16"),
        ("Features\t: asimd bf16 i8mm", "mixed_bfloat16"),
        ("flags\t\t: fpu avx512f avx512_bf16x", "float32"),
        (None, "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_processor_has_it(monkeypatch, tmp_path, text, policy):
    monkeypatch.setattr(runtime.tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(runtime, "CPU_FLAGS", tmp_path / "cpuinfo")
    if text:
        (tmp_path / "cpuinfo").write_text(text)
    given = {"dataset": "bellows", "dtype_policy": "auto"}
    assert resolve("auc_adapted", given).dtype_policy == policy
    note = runtime.precision_note("mixed_bfloat16")
    assert ("is faster here" if policy == "mixed_bfloat16" else "not known") in note
    assert runtime.precision_note("float32") is None


@pytest.mark.parametrize(("capability", "expected"), [((8, 0), True), ((7, 5), False)])
def test_a_gpu_is_asked_where_there_is_one(monkeypatch, capability, expected):
    config = runtime.tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: ["GPU:0"])
    details = {"compute_capability": capability}
    monkeypatch.setattr(config.experimental, "get_device_details", lambda gpu: details)
    assert runtime.has_fast_bfloat16() == expected


def test_a_run_keeps_what_auto_was(image_folder, tmp_path):
    flags = [*tiny(image_folder, tmp_path / "run"), "--methods=conventional"]
    command = commands.run("run_auc_adapted.py", *flags, "--dtype_policy=auto")
    policy = read_json(tmp_path / "run/config.json")["dtype_policy"]
    assert policy == runtime.fastest_dtype_policy()
    assert ("bfloat16" in command.stdout) == (policy == "mixed_bfloat16")
