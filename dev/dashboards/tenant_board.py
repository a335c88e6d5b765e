"""What one tenant has and costs: a namespace that the reader chooses."""

from __future__ import annotations

from typing import Final

from dashboards.board import Board, Choice, Figure, Graph, Query, Section, Step

_NONE: Final = "this namespace has none"
_NOTHING: Final = "nothing has ended in this namespace"
_TENANT: Final = 'namespace="$namespace"'

_NOW = Section(
    "Now, and in the range that you look at",
    [
        Figure(
            "Models",
            "AvatarModels in the namespace, in whatever state.",
            "none",
            Query(f'sum(max by (state) (avatar_namespace_objects{{kind="AvatarModel", {_TENANT}}}))'),
            _NONE,
        ),
        Figure(
            "Models that are ready",
            "AvatarModels that pictures can be drawn with.",
            "none",
            Query(f'max(avatar_namespace_objects{{kind="AvatarModel", state="Ready", {_TENANT}}})'),
            _NONE,
        ),
        Figure(
            "Requests under way",
            "AvatarRequests that wait or are drawn.",
            "none",
            Query(
                "sum(max by (state)"
                f' (avatar_namespace_objects{{kind="AvatarRequest", state=~"Pending|Running", {_TENANT}}}))'
            ),
            _NONE,
        ),
        Figure(
            "Pictures",
            "Drawn and stored in the range that you look at.",
            "none",
            Query(f"sum(increase(avatar_pictures_total{{{_TENANT}}}[$__range]))"),
            _NOTHING,
        ),
        Figure(
            "Spent",
            "US dollars of GPU time in the range that you look at, by the runtime's price list.",
            "currencyUSD",
            Query(f"sum(increase(avatar_estimated_cost_dollars_total{{{_TENANT}}}[$__range]))"),
            "nothing that has a price has ended",
        ),
        Figure(
            "Failures",
            "In the range that you look at, those that are tried again among them. The first one of a reason since"
            " the operator's start is not counted.",
            "none",
            Query(f"sum(increase(avatar_failures_total{{{_TENANT}}}[$__range])) or 0 * sum(avatar_leader)"),
            "no operator is scraped",
            steps=[Step(1, "orange")],
        ),
    ],
)
_OVER_TIME = Section(
    "Over time",
    [
        Graph(
            "Models by state",
            "AvatarModels in the namespace.",
            "none",
            [
                Query(
                    f'max by (state) (avatar_namespace_objects{{kind="AvatarModel", {_TENANT}}})', "{{state}}"
                )
            ],
            _NONE,
            stacked=True,
        ),
        Graph(
            "Requests by state",
            "AvatarRequests in the namespace.",
            "none",
            [
                Query(
                    f'max by (state) (avatar_namespace_objects{{kind="AvatarRequest", {_TENANT}}})',
                    "{{state}}",
                )
            ],
            _NONE,
            stacked=True,
        ),
        Graph(
            "Pictures",
            "Drawn and stored in an hour.",
            "none",
            [Query(f"sum(increase(avatar_pictures_total{{{_TENANT}}}[1h]))", "pictures")],
            _NOTHING,
        ),
        Graph(
            "Spend",
            "US dollars of GPU time in a day, for training (AvatarModel) and drawing (AvatarRequest). Estimated by"
            " the price list.",
            "currencyUSD",
            [
                Query(
                    f"sum by (kind) (increase(avatar_estimated_cost_dollars_total{{{_TENANT}}}[1d]))",
                    "{{kind}}",
                )
            ],
            "nothing that has a price has ended",
            width=6,
            stacked=True,
        ),
        Graph(
            "GPUs at work",
            "On average over an hour, for training (AvatarModel) and drawing (AvatarRequest). Work counts when it ends.",
            "none",
            [Query(f"sum by (kind) (rate(avatar_gpu_seconds_total{{{_TENANT}}}[1h]))", "{{kind}}")],
            _NOTHING,
            width=6,
            stacked=True,
        ),
        Graph(
            "Share of all GPU time",
            "What part of everybody's GPU time of an hour was this namespace's.",
            "percentunit",
            [
                Query(
                    f"sum(rate(avatar_gpu_seconds_total{{{_TENANT}}}[1h]))"
                    " / (sum(rate(avatar_gpu_seconds_total[1h])) > 0)",
                    "of all GPU time",
                )
            ],
            _NOTHING,
            width=6,
        ),
        Graph(
            "Failures by reason",
            "In an hour. docs/conditions.md says what each reason means. The first one of a reason is not counted.",
            "none",
            [
                Query(
                    f"sum by (kind, reason) (increase(avatar_failures_total{{{_TENANT}}}[1h])) > 0",
                    "{{kind}} {{reason}}",
                )
            ],
            "none has failed twice for the same reason",
            width=6,
            stacked=True,
        ),
    ],
)

TENANT = Board(
    uid="avatar-tenant",
    title="Avatars / A tenant",
    description="One namespace's models, requests and spend.",
    sections=[_NOW, _OVER_TIME],
    hours=24,
    choices=[Choice("namespace", "Namespace", "namespace", "avatar_namespace_objects")],
)
