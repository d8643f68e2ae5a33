"""The command `awl-vae`: a table of commands, each of them a program in experiments/."""

import runpy
import sys

from awl_vae import __version__

COMMANDS = {
    "auc-adapted": (
        "run_auc_adapted",
        "compare VAEs whose weights follow the AUC with the conventional one (Experiment I)",
    ),
    "loss-adapted": (
        "run_loss_adapted",
        "search for weights that lead to the lowest loss, without labels (Experiment II)",
    ),
    "baselines": ("run_baselines", "what PCA and the mean image find on the same images"),
    "check": ("check_images", "tell what is wrong with a folder of images before training"),
    "fit": ("fit_detector", "fit a detector to a folder of good images, with a report"),
    "fit-all": ("fit_all", "fit a detector to each product of a list"),
    "inspect": ("inspect_images", "inspect images with a trained detector"),
    "calibrate": (
        "calibrate_detector",
        "find another threshold for a trained detector, or by another score",
    ),
    "export": ("export_model", "write a detector as a graph: SavedModel, ONNX or LiteRT"),
    "write-dataset": ("write_dataset", "write a generated dataset as PNG files"),
    "study": ("study", "run everything that the results are made of"),
    "results": ("report", "write the results page from the files of the study"),
    "info": ("info", "versions, devices, and which extras are installed"),
}
"""By name, the file in experiments/ and what it does."""

MEANT = {"train": "auc-adapted or loss-adapted", "predict": "inspect"}
"""What is meant by words that are no command and like none."""

NO_COMMAND = 2


def main() -> None:
    """Runs the command that the arguments name, and exits with its status."""
    from awl_vae.system.interrupts import exit_at_interrupts

    exit_at_interrupts()
    from awl_vae.system.terminal import quiet_at_a_closed_pipe

    with quiet_at_a_closed_pipe():
        _main()


def _main() -> None:
    name, *rest = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h", "-help", "help", "--helpfull"):
        print(_overview())
    elif name == "--version":
        print(f"awl-vae {__version__}")
    elif name in COMMANDS:
        sys.argv[1:] = rest
        runpy.run_module(
            f"awl_vae.experiments.{COMMANDS[name][0]}", run_name="__main__", alter_sys=True
        )
    else:
        from awl_vae.system.errors import nearest

        found = MEANT.get(name) or nearest(name, [*COMMANDS, "--help", "--version"])
        meant = f"did you mean {found}?" if found else "awl-vae --help lists them."
        print(f"error: Expected a command; {meant} Received: {name}", file=sys.stderr)
        sys.exit(NO_COMMAND)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: awl-vae <command> [--flag=value ...]",
            "       awl-vae <command> --help",
            "       awl-vae --version",
            "",
            "A VAE that finds defects in images of products, and changes the weights of its loss",
            "while it trains.",
            "",
            *lines,
        ]
    )


if __name__ == "__main__":
    main()
