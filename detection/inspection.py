"""Inspecting many images: from files to findings, in batches, with memory that stays flat."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from awl_vae.data.roi import RegionsOfInterest
from awl_vae.detection.detector import Detector
from awl_vae.detection.drift import Drift
from awl_vae.detection.finding import COLUMNS, NORMAL, Counts, FileState, Finding, csv_line
from awl_vae.detection.judging import find
from awl_vae.detection.output import Output
from awl_vae.detection.watch import Watcher
from awl_vae.system.paced import Paced
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import in_one_line, quantity

LOOK_SECONDS = 0.5
"""Between two looks at a directory that is watched."""

REPORT_SECONDS, REPORT_SHARE = 5.0, 0.05
"""While watching: from one report to the next at least, and the share of the time for them."""


def inspect(
    detector: Detector,
    paths: Iterable[Path],
    *,
    batch_size: int,
    num_threads: int,
    rois: RegionsOfInterest | None = None,
) -> Iterator[Finding]:
    """Inspects the images of files, in their order; see `find`.

    Args:
        detector: the detector.
        paths: the files.
        batch_size: images that go through the network at a time.
        num_threads: images that are decoded at a time.
        rois: the regions of interest of images, where not the detector's own counts.

    Yields:
        A finding for each path; a file that is no image gives one too.
    """
    sources = ((path, None if rois is None else rois.mask_of(path)) for path in paths)
    return find(detector, sources, batch_size=batch_size, num_threads=num_threads)


@dataclass(frozen=True)
class Inspector:
    """Inspects images and keeps what it finds, and goes on where it was cut off.

    Attributes:
        detector: the detector.
        batch_size: images that go through the network at a time.
        num_threads: images that are decoded at a time.
        write: takes each line of CSV.
        say: takes each line for the user.
        rois: the regions of interest of images, where not the detector's own counts.
    """

    detector: Detector
    batch_size: int
    num_threads: int
    write: Callable[[str], None]
    say: Callable[[str], None]
    rois: RegionsOfInterest | None = None

    def inspect(self, paths: Sequence[Path], output: Output | None) -> Counts:
        """Inspects images, those that have their line in the output left out.

        Args:
            paths: absolute paths.
            output: what keeps the findings, if anything does.

        Returns:
            The numbers of these images, those that had their line included.
        """
        counts = Counts()
        asked = {str(path) for path in paths}
        if output is not None:
            self._say_known(output)
            paths = [path for path in paths if not _is_known(path, output.known)]
        self.write(csv_line(COLUMNS))
        with closing(ProgressBar(len(paths))) as bar:
            for finding in self._findings(paths):
                counts.add(finding.verdict, finding.unlike_calibration)
                self.write(finding.to_csv() if output is None else output.add(finding))
                bar.advance(1, in_one_line(finding.path.name if finding.path else ""))
        return counts if output is None else output.finish(asked.__contains__)

    def watch(self, watcher: Watcher, output: Output, stop: threading.Event) -> Counts:
        """Inspects what is there and what arrives, until it is told to stop.

        The report is written as it goes. Where the scores of good parts have moved, that is said.

        Args:
            watcher: finds the images.
            output: what keeps the findings.
            stop: is set when it is to end.

        Returns:
            The numbers of images of that directory, those of before included.
        """

        def is_below(path: str) -> bool:
            return Path(path).is_relative_to(watcher.directory)

        drift = Drift(self.detector)
        report = Paced(
            lambda: output.report(is_below, drift.remarks),
            seconds=REPORT_SECONDS,
            share=REPORT_SHARE,
        )
        self._say_known(output)
        self.write(csv_line(COLUMNS))
        self.say(f"Watching {watcher.directory}; Ctrl-C ends it.")
        for score in output.normal_scores(is_below):
            drift.add(score)
        for line in filter(None, [drift.warning, *drift.lines]):
            self.say(line)
        report.ask()
        while not stop.is_set():
            ready = watcher.look()
            for finding in self._findings(ready):
                self.write(output.add(finding))
                normal = finding.score if finding.verdict == NORMAL else None
                if normal is not None and (line := drift.add(normal)):
                    self.say(line)
                report.ask()
                if stop.is_set():
                    break
            if not ready:
                report.tend()
                stop.wait(LOOK_SECONDS)
        return output.finish(is_below, drift.remarks)

    def _say_known(self, output: Output) -> None:
        if output.known:
            self.say(f"Going on after {quantity(len(output.known), 'image')}.")

    def _findings(self, paths: Sequence[Path]) -> Iterator[Finding]:
        return inspect(
            self.detector,
            paths,
            batch_size=self.batch_size,
            num_threads=self.num_threads,
            rois=self.rois,
        )


def _is_known(path: Path, known: Mapping[str, FileState | None]) -> bool:
    return str(path) in known and known[str(path)] == FileState.of(path)
