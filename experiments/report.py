"""Writes the results page, and the README's part of it, from the files of the study's runs.

    awl-vae results --study_dir=runs/study
    awl-vae results

With --study_dir the small files of its finished runs are copied into the repository first. The page
is made from those alone: where they are the same, it is the same to the letter.
"""

if not __package__:
    import checkout  # noqa: F401

from pathlib import Path

from absl import flags

from awl_vae.experiments.command import define_path, run
from awl_vae.system.errors import UserError
from awl_vae.system.words import quantity

FLAGS = flags.FLAGS


def main() -> int:
    """Collects what is asked for, and writes the page."""
    from awl_vae.system import quiet_tensorflow  # noqa: F401, I001
    from awl_vae.study.collect import collect
    from awl_vae.study.method_pages import write_method_pages
    from awl_vae.study.readme import PART as README_PART
    from awl_vae.study.readme import write_headline
    from awl_vae.study.results_page import write_page
    from awl_vae.study.run_files import Study

    readme = _readme()
    if readme is not None:
        README_PART.around(readme)  # before anything is written
    if FLAGS.study_dir is not None:
        count = collect(Path(FLAGS.study_dir), Path(FLAGS.files_dir))
        if not count:
            raise UserError(
                f"Expected finished runs. Received: none, --study_dir={FLAGS.study_dir}"
            )
        print(f"{quantity(count, 'run')} copied; others stay as they are: {FLAGS.files_dir}")
    study = Study(Path(FLAGS.files_dir))
    if next(iter(study), None) is None:
        raise UserError(
            "Expected the files of finished runs, which --study_dir copies. "
            f"Received: none, --files_dir={FLAGS.files_dir}"
        )
    write_page(study, Path(FLAGS.output))
    print(f"The page: {FLAGS.output}")
    pages = Path(FLAGS.output).parent / "methods"
    if pages.is_dir():
        write_method_pages(study, pages)
        print(f"The tables of the methods: {pages}")
    if readme is None:
        print(f"No table and verdicts beside it: there is no {FLAGS.readme}.")
    else:
        write_headline(study, readme)
        print(f"Its table and verdicts: {readme}")
    return 0


def _readme() -> Path | None:
    """The file that a part is written into; None where none was named and none is there."""
    readme = Path(FLAGS.readme)
    if readme.is_file():
        return readme
    if FLAGS["readme"].using_default_value:
        return None
    raise UserError(
        f"Expected a file whose part is to be written. Received: none, --readme={readme}"
    )


if __name__ == "__main__":
    define_path("study_dir", None, "Run directories of a study whose files are copied.")
    define_path("files_dir", "docs/results/study", "Where the small files are.")
    define_path("output", "docs/RESULTS.md", "The page.")
    define_path("readme", "README.md", "The file with lines between which a part goes.")
    run(main)
