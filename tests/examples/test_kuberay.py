"""The manifest for Kubernetes, so far as it can be checked without one."""

from pathlib import Path

import commands
import yaml

MANIFEST = Path(__file__).parent.parent.parent / "examples/kuberay.yaml"


def test_the_manifest_is_a_job_whose_command_is_one_of_ours():
    job = yaml.safe_load(MANIFEST.read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    templates = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in templates:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        assert {"cpu", "memory"} == set(container["resources"]["limits"])
    program, name, *flags = job["spec"]["entrypoint"].split()
    assert (program, name) == ("awl-vae", "study")
    listed = commands.run("study.py", "--list", *flags[:1])
    assert "run_auc_adapted.py" in listed.stdout
    assert flags[1].startswith("--on=ray:")
