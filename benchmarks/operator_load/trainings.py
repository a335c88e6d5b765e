"""How often something was trained. Pure, but for the questions that are put to AWS.

Each attempt may be submitted once. A second attempt of a revision is none that was trained twice if no worker took the
first: an operator that cannot know whether a submission arrived takes the attempt's claim away before it plans the next.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable

from benchmarks.operator_load.api_server import Object
from e2e.flight import Flight

CLAIM = "/claim.json"


class SubmissionsSeen:
    """Submissions as the status tells of them, from every version of it: for a backend that nobody else can be asked about."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, set[tuple[int, int, str]]] = defaultdict(set)
        self.versions = 0

    def see(self, body: Object) -> None:
        """A version of a model."""
        self.versions += 1
        training = body.get("status", {}).get("training", {})
        if "submittedTime" in training:
            attempt = training["revision"], training["attempt"], training["submittedTime"]
            self._seen[body["metadata"]["uid"]].add(attempt)

    def trained(self) -> int:
        """Models that were submitted at all."""
        return len(self._seen)

    def duplicates(self) -> int:
        """Submissions beyond the first of each model. None of these trainings fails, so no second one is due."""
        return sum(len(attempts) - 1 for attempts in self._seen.values())


def submitted_twice(flight: Flight) -> int:
    """Attempts that InvokeEndpointAsync was called for more than once, counted beyond the first, by AWS's own log."""
    calls = flight.aws.calls(api="InvokeEndpointAsync", carried_out="true")
    return _beyond_the_first(call["parameters"]["InferenceId"] for call in calls)


def trained_twice(flight: Flight) -> int:
    """Revisions of which workers took more than one attempt, counted beyond the first, by their claims in S3."""
    taken = []
    for key in flight.stored_keys("requests/"):
        if key.endswith(CLAIM):
            claim = json.loads(flight.s3.get_object(Bucket=flight.bucket, Key=key)["Body"].read())
            if claim["holder"] == "Worker":
                taken.append(key.rsplit("-a", 1)[0])
    return _beyond_the_first(taken)


def _beyond_the_first(names: Iterable[str]) -> int:
    return sum(count - 1 for count in Counter(names).values())
