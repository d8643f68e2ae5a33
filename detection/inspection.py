"""Inspecting many images: from files to findings, in batches, with memory that stays flat."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from awl_vae.data.remote import File, RemoteFile
from awl_vae.data.roi import RegionsOfInterest
from awl_vae.detection.detector import Detector
from awl_vae.detection.drift import Drift
from awl_vae.detection.finding import COLUMNS, NORMAL, Counts, FileState, csv_line
from awl_vae.detection.judging import find
from awl_vae.detection.listing import Listing
from awl_vae.detection.output import Output
from awl_vae.detection.overlay import Drawn, drawn
from awl_vae.detection.watch import Watcher
from awl_vae.system.paced import Paced
from awl_vae.system.tasks import Engine, InSequence
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import in_one_line, quantity

LOOK_SECONDS = 0.5
"""Between two looks at a directory that is watched."""

REPORT_SECONDS, REPORT_SHARE = 5.0, 0.05
"""While watching: from one report to the next at least, and the share of the time for them."""


TOGETHER = 256
"""Images that another process is given at a time, at least."""


class Pair(NamedTuple):
    """An image, and the mask of its region of interest, where not the detector's own counts."""

    file: File
    mask: Path | None

    def __str__(self) -> str:
        return str(self.file)


@dataclass(frozen=True)
class Inspect:
    """Inspects images, each with its mask, in their order; see `find`.

    It can be pickled, so that other processes do it.

    Attributes:
        detector: the detector.
        batch_size: images that go through the network at a time.
        num_threads: images that are decoded at a time.
        draws: whether overlays are wanted.
    """

    detector: Detector
    batch_size: int
    num_threads: int
    draws: bool

    def __call__(self, pairs: Iterable[Pair]) -> Iterator[Drawn]:
        """Yields a finding for each image, with its overlay; a file that is no image gives one."""
        findings = find(
            self.detector, pairs, batch_size=self.batch_size, num_threads=self.num_threads
        )
        return drawn(self.detector, findings, draws=self.draws)


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
        engine: what makes the findings.
    """

    detector: Detector
    batch_size: int
    num_threads: int
    write: Callable[[str], None]
    say: Callable[[str], None]
    rois: RegionsOfInterest | None = None
    engine: Engine = field(default_factory=InSequence)

    def inspect(self, files: Listing, output: Output | None) -> Counts:
        """Inspects images, those that have their line in the output left out.

        Args:
            files: the images.
            output: what keeps the findings, if anything does.

        Returns:
            The numbers of these images, those that had their line included.
        """
        counts, left = Counts(), files
        if output is not None and output.known:
            self._say_known(output)
            left = Listing(file for file in files if not _is_known(file, output.known))
        self.write(csv_line(COLUMNS))
        with (
            closing(ProgressBar(len(left))) as bar,
            closing(self._findings(left, draws=output is not None)) as findings,
        ):
            for finding, overlay in findings:
                counts.add(finding.verdict, finding.unlike_calibration)
                self.write(finding.to_csv() if output is None else output.add(finding, overlay))
                bar.advance(1, in_one_line(finding.path.name if finding.path else ""))
        return counts if output is None else output.finish(files.__contains__)

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
            for finding, overlay in self._findings(ready, draws=True):
                self.write(output.add(finding, overlay))
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

    def _findings(self, files: Iterable[File], *, draws: bool) -> Generator[Drawn, None, None]:
        inspect = Inspect(self.detector, self.batch_size, self.num_threads, draws)
        rois = self.rois
        pairs = (Pair(file, None if rois is None else rois.mask_of(file)) for file in files)
        batch_size = min(self.batch_size, self.detector.scorer.batch_size)
        # Whole batches, as in one process: a network's last bits are those of its batch.
        together = -(-TOGETHER // batch_size) * batch_size
        return self.engine.map(inspect, pairs, together=together, num_threads=self.num_threads)


def _is_known(file: File, known: Mapping[str, FileState | None]) -> bool:
    if str(file) not in known:
        return False
    state = known[str(file)]
    if isinstance(file, RemoteFile) and file.told is None:
        return state is not None  # To ask for each of a list of millions would take hours.
    return state == FileState.of(file)
