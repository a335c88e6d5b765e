"""`make demo` from its first line to its last."""

from __future__ import annotations

import time
from contextlib import ExitStack

from rich.console import Console

from avatar_demo.aws_account import leave_other_clouds
from avatar_demo.comparison import compare_with_base
from avatar_demo.environment import Environment, EnvironmentStart, locked
from avatar_demo.example import (
    FILES,
    Example,
    apply_example,
    delete_earlier_run,
    example_photos,
    load_example,
    namespace_of,
    upload_photos,
)
from avatar_demo.live_view import stamped, view_for
from avatar_demo.narration import Trouble, duration
from avatar_demo.observation import Observer, Snapshot
from avatar_demo.report import (
    print_events,
    print_next_steps,
    print_outcome,
    restart_command,
    write_shell_settings,
)
from avatar_demo.settings import EXAMPLE, DemoSettings
from avatar_demo.watching import FlowFailed, Patience, Watch
from synthetic_people import Photo

WITHOUT_OPERATOR_SECONDS = 120.0
"""How long somebody who tries a crash may take to start the operator again."""


class Walkthrough:
    """One run of the demo.

    Args:
        settings: where.
        console: what people read.
        timeout: seconds that the whole run may take.
    """

    def __init__(self, settings: DemoSettings, console: Console, timeout: float) -> None:
        self._settings = settings
        self._console = console
        self._timeout = timeout
        self._started = time.monotonic()
        self.is_up = False
        """Whether the environment is complete and stays up, whatever happens to the rest of the run."""

    def run(self) -> None:
        """Start everything, go the whole way, and tell about it.

        Raises:
            FlowFailed: the example failed; the environment stays up to be looked at.
            DemoError, LocalClusterError, OSError, botocore's errors: something did not start; what this run started is
                stopped.
            KeyboardInterrupt: likewise, or during the live view: the environment stays up.
        """
        environment, example, photos = self._set_up()
        observer = Observer(
            environment.cluster.admin_kubeconfig,
            environment.aws,
            example,
            environment.resources.narrators_queue_url,
        )
        try:
            snapshot = self._watch(observer, environment)
        except FlowFailed:
            print_events(self._console, observer, observer.observe())
            raise
        self._say("drawing the same prompts with the base, on an endpoint of its own")
        comparison = compare_with_base(environment.aws, snapshot, photos)
        comparison.sheet.save(self._settings.contact_sheet)
        self._say(comparison.sentence)
        print_outcome(self._console, environment.cluster, observer, snapshot)
        print_next_steps(self._console, self._settings, environment, example)
        self._console.print(
            f"\nFrom photos to pictures in {duration(time.monotonic() - self._started)}."
            f" Look at {self._settings.contact_sheet}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def _set_up(self) -> tuple[Environment, Example, list[Photo]]:
        leave_other_clouds()
        with locked(self._settings), ExitStack() as started:
            environment = EnvironmentStart(self._settings, namespace_of(EXAMPLE), started, self._say).run()
            example = load_example(EXAMPLE, environment.resources.placeholders())
            photos = example_photos()
            upload_photos(environment.aws, example.photos_prefix, photos)
            self._say(f"{len(photos)} photos of one person are uploaded to {example.photos_prefix}")
            if delete_earlier_run(environment.cluster, example):
                self._say("the model and the request of the last run are deleted, with all they had stored")
            apply_example(environment.cluster, example)
            write_shell_settings(self._settings, environment)
            self._say(f"applied {', '.join(FILES)} of examples/{EXAMPLE.name}")
            started.pop_all()
            self.is_up = True
        return environment, example, photos

    def _watch(self, observer: Observer, environment: Environment) -> Snapshot:
        without_operator = Patience(WITHOUT_OPERATOR_SECONDS)

        def look_around() -> None:
            if (ended := environment.aws_service.ended()) is not None:
                raise FlowFailed(ended)
            self._wait_for_operator(environment.operator_service.ended(), without_operator)

        return Watch(
            observer=observer,
            view=view_for(self._console, self._started),
            started=self._started,
            timeout=self._timeout,
            look_around=look_around,
        ).to_the_end()

    def _wait_for_operator(self, ended: str | None, patience: Patience) -> None:
        """Tell that the operator does not run, once, and fail if nobody starts it again.

        Raises:
            FlowFailed: it has been gone for too long.
        """
        known = patience.has_begun
        problem = None if ended is None else Trouble("avatar-operator", "Ended", ended, may_pass=True)
        if patience.exhausted_by(problem, time.monotonic()) is not None:
            raise FlowFailed(f"{ended}; nobody started it again for {duration(WITHOUT_OPERATOR_SECONDS)}")
        if ended is not None and not known:
            self._say(f"{ended}; the demo goes on when it runs again: {restart_command()}")

    def _say(self, line: str) -> None:
        self._console.print(stamped(self._started, line), markup=False, highlight=False, soft_wrap=True)
