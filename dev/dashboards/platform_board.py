"""What a platform team looks at: is it well, is it quick, what fails, who waits, what does it cost."""

from __future__ import annotations

from typing import Final

from dashboards.board import Board, Figure, Graph, Query, Section, Step, quantiles

_NOBODY: Final = "no operator is scraped"
_NONE_ENDED: Final = "none has ended in the last hour"

_NOW = Section(
    "Now",
    [
        Figure(
            "Replicas that lead",
            "Of one installation. One is right. None: nothing goes on (AvatarNoLeader). Two: AvatarTwoLeaders.",
            "none",
            Query("max(sum by (namespace) (avatar_leader))"),
            _NOBODY,
            colour="red",
            steps=[Step(1, "green"), Step(2, "red")],
        ),
        Figure(
            "Models that are ready",
            "AvatarModels that pictures can be drawn with.",
            "none",
            Query('sum(max by (backend) (avatar_objects{kind="AvatarModel", state="Ready"}))'),
            _NOBODY,
        ),
        Figure(
            "Trainings under way",
            "AvatarModels that a worker prepares, trains or packs.",
            "none",
            Query(
                "sum(max by (state, backend)"
                ' (avatar_objects{kind="AvatarModel", state=~"Preparing|Training|Packaging"}))'
            ),
            _NOBODY,
        ),
        Figure(
            "Requests that are drawn",
            "AvatarRequests in state Running.",
            "none",
            Query('sum(max by (backend) (avatar_objects{kind="AvatarRequest", state="Running"}))'),
            _NOBODY,
        ),
        Figure(
            "Failures",
            "In the range that you look at, those that are tried again among them. The first one of a reason in a"
            " namespace since the operator's start is not counted: its series begins with it.",
            "none",
            Query("sum(increase(avatar_failures_total[$__range])) or 0 * sum(avatar_leader)"),
            _NOBODY,
            steps=[Step(1, "orange")],
        ),
        Figure(
            "Spent",
            "US dollars of GPU time in the range that you look at, by the runtimes' price lists. Idle instances,"
            " storage and requests come on top: the bill is AWS's.",
            "currencyUSD",
            Query("sum(increase(avatar_estimated_cost_dollars_total[$__range]))"),
            "nothing that has a price has ended",
        ),
    ],
)
_PROMISES = Section(
    "How long it takes",
    [
        Graph(
            "Time to Ready: trainings",
            "From the submission of an attempt to its end, of those that succeeded in the last hour: the queue, the"
            " photos, the training and the upload.",
            "s",
            [
                quantiles(
                    "avatar_training_duration_seconds",
                    "1h",
                    'outcome="succeeded"',
                    ("backend",),
                    quantile,
                )
                for quantile in (0.5, 0.95)
            ],
            _NONE_ENDED,
        ),
        Graph(
            "Of that: in the queue",
            "From submission until a worker began, in the last hour. If it grows, the training endpoint has too few"
            " instances.",
            "s",
            [
                quantiles("avatar_time_in_queue_seconds", "1h", by=("backend",), quantile=quantile)
                for quantile in (0.5, 0.95)
            ],
            "none has begun in the last hour",
        ),
        Graph(
            "Time to pictures",
            "From the creation of an AvatarRequest to its last picture, of those that succeeded in the last hour.",
            "s",
            [
                quantiles(
                    "avatar_request_duration_seconds", "1h", 'outcome="Succeeded"', ("backend",), quantile
                )
                for quantile in (0.5, 0.95)
            ],
            _NONE_ENDED,
        ),
        Graph(
            "Requests within ten minutes",
            "Share of those that succeeded in the last hour. AvatarRequestsSlow is about a goal of 99%.",
            "percentunit",
            [
                Query(
                    'sum(rate(avatar_request_duration_seconds_bucket{outcome="Succeeded", le="600.0"}[1h]))'
                    ' / (sum(rate(avatar_request_duration_seconds_count{outcome="Succeeded"}[1h])) > 0)',
                    "within ten minutes",
                )
            ],
            _NONE_ENDED,
        ),
        Graph(
            "Trainings that succeed",
            "Share of the attempts that ended in the last hour. One that failed may be tried again.",
            "percentunit",
            [
                Query(
                    'sum by (backend) (rate(avatar_training_duration_seconds_count{outcome="succeeded"}[1h]))'
                    " / (sum by (backend) (rate(avatar_training_duration_seconds_count[1h])) > 0)",
                    "{{backend}}",
                )
            ],
            _NONE_ENDED,
        ),
        Graph(
            "Requests that succeed",
            "Share of those that ended in the last hour.",
            "percentunit",
            [
                Query(
                    'sum by (backend) (rate(avatar_request_duration_seconds_count{outcome="Succeeded"}[1h]))'
                    " / (sum by (backend) (rate(avatar_request_duration_seconds_count[1h])) > 0)",
                    "{{backend}}",
                )
            ],
            _NONE_ENDED,
        ),
    ],
)
_FAILURES = Section(
    "What fails",
    [
        Graph(
            "Failures by reason",
            "Told on objects, in an hour. docs/conditions.md says what each reason means. A series begins with its"
            " first failure, which is not counted.",
            "none",
            [
                Query(
                    "sum by (kind, reason) (increase(avatar_failures_total[1h])) > 0",
                    "{{kind}} {{reason}}",
                )
            ],
            "none has failed twice for the same reason",
            stacked=True,
        ),
        Graph(
            "Failures by namespace",
            "The ten namespaces with the most, in an hour: one tenant's trouble, or everybody's?",
            "none",
            [
                Query(
                    "topk(10, sum by (namespace) (increase(avatar_failures_total[1h])) > 0)", "{{namespace}}"
                )
            ],
            "none has failed twice for the same reason",
            stacked=True,
        ),
        Graph(
            "Attempts that were given up",
            "In an hour, because nobody could tell whether they had been submitted: a crash or a lost answer at the"
            " wrong moment.",
            "none",
            [
                Query(
                    "sum(increase(avatar_attempts_abandoned_total[1h])) or 0 * sum(avatar_leader)", "given up"
                )
            ],
            _NOBODY,
        ),
    ],
)
_LINE = Section(
    "Who waits",
    [
        Graph(
            "Models by state",
            "AvatarModels that are not done: waiting, in a worker's hands, failed, suspended or going.",
            "none",
            [
                Query(
                    "sum by (state) (max by (state, backend)"
                    ' (avatar_objects{kind="AvatarModel", state!="Ready"}))',
                    "{{state}}",
                )
            ],
            _NOBODY,
            stacked=True,
        ),
        Graph(
            "Requests by state",
            "AvatarRequests that are not done.",
            "none",
            [
                Query(
                    "sum by (state) (max by (state, backend)"
                    ' (avatar_objects{kind="AvatarRequest", state!="Succeeded"}))',
                    "{{state}}",
                )
            ],
            _NOBODY,
            stacked=True,
        ),
        Graph(
            "Backlog",
            "Attempts that wait at training endpoints, and objects that wait because their namespaces have as much"
            " under way as their quotas let them.",
            "none",
            [
                Query("max(avatar_endpoint_backlog)", "at endpoints"),
                Query("max by (kind) (avatar_waiting_for_quota)", "{{kind}} for quota"),
            ],
            _NOBODY,
        ),
        Graph(
            "The oldest",
            "Seconds that the oldest unfinished training and the oldest deletions have taken (AvatarTrainingOld,"
            " AvatarDeletionOld).",
            "s",
            [
                Query("max(avatar_oldest_unfinished_training_seconds)", "training"),
                Query("max by (kind) (avatar_oldest_deletion_seconds)", "deletion of an {{kind}}"),
            ],
            _NOBODY,
        ),
        Graph(
            "Left over",
            "Data of deleted objects that could not be removed yet, and what lies in buckets or at endpoints without"
            " an owner (AvatarLeftBehind, AvatarOrphansGrowing).",
            "none",
            [
                Query("max by (kind) (avatar_left_behind)", "of deleted {{kind}}s"),
                Query("max(avatar_orphans_found)", "without an owner"),
                Query("sum by (action) (increase(avatar_orphans_total[1h]))", "{{action}} in an hour"),
            ],
            _NOBODY,
        ),
        Graph(
            "Runtimes",
            "AvatarRuntimes by state, and those whose prefixes let tenants name what is not theirs (AvatarRuntimeUnsafe).",
            "none",
            [
                Query(
                    'sum by (state) (max by (state, backend) (avatar_objects{kind="AvatarRuntime"}))',
                    "{{state}}",
                ),
                Query("max(avatar_runtimes_unsafe)", "unsafe"),
            ],
            _NOBODY,
        ),
    ],
)
_LEADER_AND_SPEND = Section(
    "Who leads, and what it costs",
    [
        Graph(
            "Leader",
            "1 for the replica that leads. Lines that cross are a hand-over.",
            "none",
            [Query("max by (instance) (avatar_leader)", "{{instance}}")],
            _NOBODY,
        ),
        Graph(
            "Cost by namespace",
            "US dollars of GPU time in a day, the ten that spend most (AvatarSpendRate). Estimated by the price list.",
            "currencyUSD",
            [
                Query(
                    "topk(10, sum by (namespace) (increase(avatar_estimated_cost_dollars_total[1d])))",
                    "{{namespace}}",
                )
            ],
            "nothing that has a price has ended",
            stacked=True,
        ),
        Graph(
            "GPUs by namespace",
            "How many GPUs a namespace kept busy on average over an hour, the ten with the most. Counted when the"
            " work ends.",
            "none",
            [
                Query(
                    "topk(10, sum by (namespace) (rate(avatar_gpu_seconds_total[1h])))",
                    "{{namespace}}",
                )
            ],
            "no work has ended",
            stacked=True,
        ),
    ],
)

PLATFORM = Board(
    uid="avatar-platform",
    title="Avatars / Platform",
    description="Is it well, is it quick, what fails, who waits, what does it cost.",
    sections=[_NOW, _PROMISES, _FAILURES, _LINE, _LEADER_AND_SPEND],
)
