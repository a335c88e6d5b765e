"""`make demo` from its first line to its last."""

from __future__ import annotations

import itertools
import os
import time
from contextlib import ExitStack

from rich.console import Console

from avatar_demo.aws_account import isolated_environment
from avatar_demo.base_pictures import draw_with_base
from avatar_demo.contact_sheet import PromptPictures, Titles, contact_sheet
from avatar_demo.environment import Environment, EnvironmentStart, locked
from avatar_demo.errors import DemoError
from avatar_demo.example import (
    FILES,
    PERSON_SEED,
    Example,
    apply_example,
    delete_earlier_run,
    example_photos,
    load_example,
    namespace_of,
    upload_photos,
)
from avatar_demo.live_view import View, stamped, view_for
from avatar_demo.narration import Trouble, duration, is_complete, narrate, trouble
from avatar_demo.observation import Observer, Snapshot
from avatar_demo.report import (
    print_events,
    print_next_steps,
    print_outcome,
    restart_command,
    write_shell_settings,
)
from avatar_demo.settings import EXAMPLE, DemoSettings
from synthetic_people import Person, Photo

LOOK_EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
"""How long a failure that the operator tries to mend by itself may stand."""
WITHOUT_OPERATOR_SECONDS = 120.0
"""How long somebody who tries a crash may take to start the operator again."""


class FlowFailed(DemoError):
    """The environment is up, but the example did not come to its end."""


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
        self._draw_contact_sheet(environment, snapshot, photos)
        print_outcome(self._console, environment, observer, snapshot)
        print_next_steps(self._console, self._settings, environment, example)
        self._console.print(
            f"\nFrom photos to pictures in {duration(time.monotonic() - self._started)}."
            f" Look at {self._settings.contact_sheet}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def _set_up(self) -> tuple[Environment, Example, list[Photo]]:
        # Whatever account and cluster this shell is logged in to: from here on there is only the demo's.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(isolated_environment("http://127.0.0.1:9"))
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
        patience, without_operator = Patience(PATIENCE_SECONDS), Patience(WITHOUT_OPERATOR_SECONDS)
        view: View = view_for(self._console, self._started)
        with view:
            while True:
                snapshot = observer.observe()
                view.show(snapshot)
                if (failed := patience.exhausted_by(trouble(snapshot), time.monotonic())) is not None:
                    raise FlowFailed(f"{failed.subject} failed: {failed.reason}: {failed.message}")
                if None in (snapshot.runtime, snapshot.model, snapshot.request):
                    raise FlowFailed("somebody deleted an object of the example while the demo watched it")
                if is_complete(snapshot):
                    return snapshot
                if (ended := environment.aws_service.ended()) is not None:
                    raise FlowFailed(ended)
                self._wait_for_operator(environment.operator_service.ended(), without_operator)
                if time.monotonic() - self._started > self._timeout:
                    state = "; ".join(f"{line.subject} {line.state}" for line in narrate(snapshot))
                    raise FlowFailed(f"not done after {duration(self._timeout)}: {state}")
                time.sleep(LOOK_EVERY_SECONDS)

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

    def _draw_contact_sheet(self, environment: Environment, snapshot: Snapshot, photos: list[Photo]) -> None:
        assert snapshot.runtime is not None
        assert snapshot.model is not None
        request = snapshot.request
        assert request is not None
        by_base = draw_with_base(environment.aws, snapshot.runtime, request)
        landed = {picture.uri: picture.png for picture in snapshot.pictures}
        drawn = zip(request.status.images, by_base, strict=True)
        prompts = []
        for index, group in itertools.groupby(drawn, key=lambda pair: pair[0].prompt_index):
            pairs = list(group)
            prompts.append(
                PromptPictures(
                    prompt=request.spec.prompts[index].prompt,
                    by_base=[base for _, base in pairs],
                    by_personal_model=[landed[image.uri] for image, _ in pairs],
                )
            )
        subject = snapshot.model.spec.subject
        name = snapshot.model.metadata.name
        sheet = contact_sheet(
            [photo.data for photo in photos],
            prompts,
            Titles(
                heading=f"AvatarModel {name}: from {len(photos)} photos to “{subject.token} {subject.class_noun}”",
                photos="photos",
                base="base model",
                personal_model=f"model {name}, same seeds",
            ),
        )
        sheet.save(self._settings.contact_sheet)
        # Imported here: torch takes seconds, and nothing before this needs it.
        from avatar_demo.likeness_line import likeness_line

        by_personal_model = [landed[image.uri] for image in request.status.images]
        self._say(likeness_line(Person.from_seed(PERSON_SEED), by_base, by_personal_model))

    def _say(self, line: str) -> None:
        self._console.print(stamped(self._started, line), markup=False, highlight=False, soft_wrap=True)


class Patience:
    """Tells a failure that stands from one that passes.

    Args:
        seconds: how long one that may pass is tolerated.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether something is being tolerated."""
        return self._since is not None

    def exhausted_by(self, problem: Trouble | None, now: float) -> Trouble | None:
        """The trouble, if it is time to give up.

        Args:
            problem: what is wrong now, if anything.
            now: on a clock that never goes back.
        """
        if problem is None:
            self._since = None
            return None
        if not problem.may_pass:
            return problem
        if self._since is None:
            self._since = now
        return problem if now - self._since >= self._seconds else None
