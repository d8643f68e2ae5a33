"""Tells the versions, the devices that TensorFlow sees, and which extras are installed.

awl-vae info
"""

if not __package__:
    import checkout  # noqa: F401

from awl_vae.experiments.command import run


def main() -> int:
    """Prints all of it."""
    from awl_vae.system.quiet_tensorflow import tensorflow
    from awl_vae.training.environment import information

    for line in information([each.name for each in tensorflow.config.list_physical_devices()]):
        print(line)
    return 0


if __name__ == "__main__":
    run(main)
