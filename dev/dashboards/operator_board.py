"""What an engineer of the operator looks at: its queues, its passes, what it asks of the API server and of AWS, its"
" process."""

from __future__ import annotations

from typing import Final

from dashboards.board import Board, Graph, Query, Section, quantiles

_NOBODY: Final = "no operator is scraped"
_WINDOW: Final = "$__rate_interval"

_QUEUES = Section(
    "Queues",
    [
        Graph(
            "Keys that wait",
            "Objects that wait for a pass, and of how many namespaces they are.",
            "none",
            [
                Query("max by (kind) (avatar_workqueue_depth)", "{{kind}}"),
                Query("max by (kind) (avatar_workqueue_namespaces)", "{{kind}}: namespaces"),
            ],
            _NOBODY,
        ),
        Graph(
            "The oldest key and the slowest pass",
            "Seconds. A key that waits long is load; with a pass that does not end it is AvatarQueueStuck.",
            "s",
            [
                Query("max by (kind) (avatar_workqueue_oldest_age_seconds)", "{{kind}} waits"),
                Query("max by (kind) (avatar_workqueue_longest_running_seconds)", "{{kind}} runs"),
            ],
            _NOBODY,
        ),
        Graph(
            "Keys added",
            "A second, and those of them that were added again after a failure.",
            "ops",
            [
                Query(f"sum by (kind) (rate(avatar_workqueue_adds_total[{_WINDOW}]))", "{{kind}}"),
                Query(
                    f"sum by (kind) (rate(avatar_workqueue_retries_total[{_WINDOW}]))", "{{kind}} once more"
                ),
            ],
            _NOBODY,
        ),
    ],
)
_PASSES = Section(
    "Reconciles",
    [
        Graph(
            "Passes by result",
            "A second. error is a defect of ours (AvatarReconcileErrors); fenced a replica that did not lead any more.",
            "ops",
            [Query(f"sum by (result) (rate(avatar_reconcile_total[{_WINDOW}]))", "{{result}}")],
            _NOBODY,
            width=6,
            stacked=True,
        ),
        Graph(
            "How long a pass takes",
            "The 95th percentile by kind.",
            "s",
            [quantiles("avatar_reconcile_duration_seconds", _WINDOW, by=("kind",))],
            "no pass in this time",
            width=6,
        ),
        Graph(
            "The slowest phases",
            "The mean of the eight slowest phases. docs/architecture.md says what each does.",
            "s",
            [
                Query(
                    f"topk(8, sum by (kind, phase) (rate(avatar_reconcile_duration_seconds_sum[{_WINDOW}]))"
                    f" / (sum by (kind, phase) (rate(avatar_reconcile_duration_seconds_count[{_WINDOW}])) > 0))",
                    "{{kind}} {{phase}}",
                )
            ],
            "no pass in this time",
            width=6,
        ),
        Graph(
            "Passes that are tried again",
            "A second, by reason (AvatarReconcileRetries).",
            "ops",
            [
                Query(
                    f"sum by (kind, reason) (rate(avatar_reconcile_retries_total[{_WINDOW}])) > 0",
                    "{{kind}} {{reason}}",
                )
            ],
            "none has to be tried again",
            width=6,
        ),
    ],
)
_API_SERVER = Section(
    "API server",
    [
        Graph(
            "Calls",
            "A second, by verb and kind. In quiet times only the Lease is renewed.",
            "reqps",
            [
                Query(
                    f"sum by (verb, kind) (rate(avatar_kube_requests_total[{_WINDOW}])) > 0",
                    "{{verb}} {{kind}}",
                )
            ],
            "nothing was asked in this time",
            width=6,
            stacked=True,
        ),
        Graph(
            "Calls that were refused",
            "A second, by HTTP code; 0: no answer. 409 comes with two writers and is harmless, 403 is a right that is"
            " missing.",
            "reqps",
            [
                Query(
                    'sum by (verb, kind, code) (rate(avatar_kube_requests_total{code!~"2.."}'
                    f"[{_WINDOW}])) > 0",
                    "{{verb}} {{kind}} {{code}}",
                )
            ],
            "none was refused",
            width=6,
        ),
        Graph(
            "Age of watches and sweeps",
            "Seconds since a watch showed an event or was found complete, and since the last sweep ended"
            " (AvatarSweepStale).",
            "s",
            [
                Query("max by (resource) (avatar_watch_last_event_age_seconds)", "watch {{resource}}"),
                Query(
                    "time() - max by (resource) (avatar_last_sweep_timestamp_seconds)", "sweep {{resource}}"
                ),
            ],
            "no sweep has ended yet",
            width=6,
        ),
        Graph(
            "Namespaces that cannot be watched",
            "Of those that are named to operators of some namespaces (`watchNamespaces`): not there yet, or without a Role and a"
            " RoleBinding. 0 where none are named.",
            "none",
            [
                Query(
                    "count(min by (namespace) (avatar_namespace_watched) == 0) or 0 * sum(avatar_leader)",
                    "not watched",
                )
            ],
            _NOBODY,
            width=6,
        ),
    ],
)
_AWS = Section(
    "AWS and other backends",
    [
        Graph(
            "Verbs",
            "A second, of storage and compute.",
            "reqps",
            [
                Query(
                    f"sum by (backend, op) (rate(avatar_backend_requests_total[{_WINDOW}])) > 0",
                    "{{backend}} {{op}}",
                )
            ],
            "nothing was asked in this time",
            stacked=True,
        ),
        Graph(
            "How long verbs take",
            "The 95th percentile, waiting for our own rate included.",
            "s",
            [quantiles("avatar_backend_request_duration_seconds", _WINDOW, by=("op",))],
            "nothing was asked in this time",
        ),
        Graph(
            "Verbs that failed",
            "A second, by reason; what is not there and what was called off is left out (AvatarBackendErrors).",
            "reqps",
            [
                Query(
                    'sum by (op, code) (rate(avatar_backend_requests_total{code!~"OK|Cancelled|NotFound"}'
                    f"[{_WINDOW}])) > 0",
                    "{{op}} {{code}}",
                )
            ],
            "none has failed",
        ),
        Graph(
            "Throttled by AWS",
            "Verbs a second that AWS asked to slow down with (AvatarBackendThrottled).",
            "reqps",
            [
                Query(
                    f"sum by (op) (rate(avatar_backend_throttled_total[{_WINDOW}])) > 0",
                    "{{op}}",
                )
            ],
            "AWS has not asked to slow down",
            width=12,
        ),
        Graph(
            "Calls that our own rate lets through",
            "Calls that may be made at once. Below 0 calls wait, by as many as it says: raise the rate if AWS allows more.",
            "none",
            [Query("min by (op) (avatar_backend_tokens_available)", "{{op}}")],
            _NOBODY,
            width=12,
        ),
    ],
)
_NEWS = Section(
    "News in and out",
    [
        Graph(
            "Messages received",
            "A second, by what they are and what became of them. Unknown ones belong to somebody else (AvatarQueueShared).",
            "ops",
            [
                Query(
                    f"sum by (kind, outcome) (rate(avatar_ingest_messages_total[{_WINDOW}])) > 0",
                    "{{kind}} {{outcome}}",
                )
            ],
            "no message in this time",
            width=6,
            stacked=True,
        ),
        Graph(
            "How old messages are",
            "The 95th percentile of seconds from sending until the hint was handed over.",
            "s",
            [quantiles("avatar_ingest_latency_seconds", _WINDOW, by=("kind",))],
            "no message in this time",
            width=6,
        ),
        Graph(
            "Queues and trouble with them",
            "Notification queues that are listened to, and calls to SQS that failed in five minutes.",
            "none",
            [
                Query("sum(avatar_ingest_consumers)", "queues"),
                Query(
                    "sum by (op, reason) (increase(avatar_ingest_errors_total[5m])) > 0",
                    "{{op}} {{reason}}",
                ),
            ],
            _NOBODY,
            width=6,
        ),
        Graph(
            "Announcements",
            "Events and CloudEvents: tries a second by outcome, and how many wait (AvatarAnnouncementsLost).",
            "none",
            [
                Query(
                    f"sum by (sink, outcome) (rate(avatar_announcements_total[{_WINDOW}])) > 0",
                    "{{sink}} {{outcome}} a second",
                ),
                Query("sum by (sink) (avatar_announcements_waiting)", "{{sink}} waiting"),
            ],
            _NOBODY,
            width=6,
        ),
    ],
)
_PROCESS = Section(
    "Process",
    [
        Graph(
            "Lag of the event loop",
            "How late its beat comes: the 99th percentile and the longest pause since the start. Long ones starve"
            " everything else.",
            "s",
            [
                quantiles("avatar_event_loop_pause_seconds", _WINDOW, by=("instance",), quantile=0.99),
                Query(
                    "max by (instance) (avatar_event_loop_longest_pause_seconds)", "{{instance}} longest ever"
                ),
            ],
            _NOBODY,
            width=6,
        ),
        Graph(
            "Processor",
            "Cores that a replica uses.",
            "none",
            [Query(f"sum by (instance) (rate(process_cpu_seconds_total[{_WINDOW}]))", "{{instance}}")],
            _NOBODY,
            width=6,
        ),
        Graph(
            "Memory",
            "Resident memory of a replica. It grows with the number of objects and with nothing else.",
            "bytes",
            [Query("max by (instance) (process_resident_memory_bytes)", "{{instance}}")],
            _NOBODY,
            width=6,
        ),
        Graph(
            "Versions",
            "Replicas by the version that they run. Two versions are a rolling update.",
            "none",
            [Query("sum by (version, python) (avatar_build_info)", "{{version}} on Python {{python}}")],
            _NOBODY,
            width=6,
        ),
    ],
)

OPERATOR = Board(
    uid="avatar-operator",
    title="Avatars / Operator",
    description="Queues, passes, what is asked of the API server and of AWS, news in and out, the process.",
    sections=[_QUEUES, _PASSES, _API_SERVER, _AWS, _NEWS, _PROCESS],
    hours=1,
)
