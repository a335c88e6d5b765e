"""What is known of the workers: from the operator's side always, from inside only where Prometheus can reach a container.

SageMaker shows a container's `/metrics` to nobody. What happens inside of its endpoints is in CloudWatch, and in Prometheus only
by way of an exporter; that is why there is no panel about GPU memory here.
"""

from __future__ import annotations

from typing import Final

from dashboards.board import Board, Figure, Graph, Query, Section, quantiles

_NOBODY: Final = "no operator is scraped"
_NO_CONTAINER: Final = "no serving container is scraped"
_NO_WORK: Final = "no work has ended in this time"
_WINDOW: Final = "$__rate_interval"

_NOW = Section(
    "Now, as the operator sees it",
    [
        Figure(
            "Training instances",
            "In service, of all runtimes.",
            "none",
            Query('max(avatar_endpoint_instances{role="Training"})'),
            _NOBODY,
        ),
        Figure(
            "Inference instances",
            "In service, of all runtimes.",
            "none",
            Query('max(avatar_endpoint_instances{role="Inference"})'),
            _NOBODY,
        ),
        Figure(
            "Attempts that wait",
            "At training endpoints: submitted, and no worker is known to have begun.",
            "none",
            Query("max(avatar_endpoint_backlog)"),
            _NOBODY,
        ),
        Figure(
            "Pictures",
            "Drawn and stored in the range that you look at.",
            "none",
            Query("sum(increase(avatar_pictures_total[$__range])) or 0 * sum(avatar_leader)"),
            _NOBODY,
        ),
        Figure(
            "GPU time",
            "That workers trained and drew in the range that you look at.",
            "s",
            Query("sum(increase(avatar_gpu_seconds_total[$__range])) or 0 * sum(avatar_leader)"),
            _NOBODY,
        ),
        Figure(
            "Idle",
            "Time of instances in service that did no work, over the lives of all runtimes. It is billed like work.",
            "s",
            Query("max(avatar_idle_instance_seconds)"),
            _NOBODY,
        ),
    ],
)
_OUTSIDE = Section(
    "Over time, as the operator sees it",
    [
        Graph(
            "Instances",
            "In service, by what they do (AvatarServingWithoutInstances).",
            "none",
            [Query("max by (role) (avatar_endpoint_instances)", "{{role}}")],
            _NOBODY,
        ),
        Graph(
            "GPUs at work",
            "On average over a quarter of an hour: training (AvatarModel) and drawing (AvatarRequest). Work counts"
            " when it ends, so long trainings show late. Use of a GPU's cores and memory is CloudWatch's"
            " GPUUtilization and GPUMemoryUtilization, which need the CloudWatch exporter.",
            "none",
            [Query("sum by (kind) (rate(avatar_gpu_seconds_total[15m]))", "{{kind}}")],
            _NO_WORK,
        ),
        Graph(
            "Instances that idle",
            "On average over a quarter of an hour. If it stays above 0, an endpoint has too many or could scale to zero.",
            "none",
            [Query("clamp_min(max(deriv(avatar_idle_instance_seconds[15m])), 0)", "idle")],
            _NOBODY,
        ),
        Graph(
            "Pictures a second",
            "Drawn and stored.",
            "ops",
            [Query("sum by (backend) (rate(avatar_pictures_total[5m]))", "{{backend}}")],
            _NO_WORK,
        ),
        Graph(
            "GPU time of a picture",
            "Seconds of a GPU for one picture, on average over a quarter of an hour.",
            "s",
            [
                Query(
                    'sum by (backend) (rate(avatar_gpu_seconds_total{kind="AvatarRequest"}[15m]))'
                    " / (sum by (backend) (rate(avatar_pictures_total[15m])) > 0)",
                    "{{backend}}",
                )
            ],
            _NO_WORK,
        ),
        Graph(
            "An invocation",
            "Seconds of one call of the inference endpoint. The gap between the two lines is what loading a personal"
            " model costs that was not resident.",
            "s",
            [
                quantiles(
                    "avatar_backend_request_duration_seconds", "15m", 'op="draw"', ("backend",), quantile
                )
                for quantile in (0.5, 0.95)
            ],
            _NO_WORK,
        ),
    ],
)
_INSIDE = Section(
    "Inside serving containers that Prometheus can reach (SageMaker's are not)",
    [
        Graph(
            "Personal models in the cache",
            "Resident in all containers, and how many were unloaded at the platform's wish in five minutes. On SageMaker:"
            " CloudWatch's LoadedModelCount, which needs the CloudWatch exporter.",
            "none",
            [
                Query("sum(avatar_serving_adapters)", "resident"),
                Query("sum(increase(avatar_serving_adapter_evictions_total[5m]))", "unloaded"),
            ],
            _NO_CONTAINER,
            width=6,
        ),
        Graph(
            "Memory of the cache",
            "Bytes of resident personal models, and what they may take.",
            "bytes",
            [
                Query("sum(avatar_serving_adapter_bytes)", "taken"),
                Query("sum(avatar_serving_adapter_budget_bytes)", "budget"),
            ],
            _NO_CONTAINER,
            width=6,
        ),
        Graph(
            "Cache hits",
            "Share of the invocations of personal models in five minutes that needed no load. On SageMaker: CloudWatch's"
            " ModelCacheHit, which needs the CloudWatch exporter.",
            "percentunit",
            [
                Query(
                    'clamp_min(1 - sum(rate(avatar_serving_adapter_loads_total{outcome="Loaded"}[5m]))'
                    ' / (sum(rate(avatar_serving_invocations_total{model="personal"}[5m])) > 0), 0)',
                    "hits",
                )
            ],
            "no personal model was invoked",
            width=6,
        ),
        Graph(
            "Loading a personal model",
            "Seconds to check it and make it resident. On SageMaker: CloudWatch's ModelLoadingWaitTime, which has the"
            " download in it and needs the CloudWatch exporter.",
            "s",
            [
                quantiles("avatar_serving_adapter_load_seconds", "5m", quantile=quantile)
                for quantile in (0.5, 0.95)
            ],
            "none was loaded",
            width=6,
        ),
        Graph(
            "Images a second",
            "Drawn by the base and by personal models.",
            "ops",
            [Query(f"sum by (model) (rate(avatar_serving_pictures_total[{_WINDOW}]))", "{{model}}")],
            "nothing was drawn",
            width=6,
        ),
        Graph(
            "Drawing a batch",
            "Seconds, without waiting for its turn.",
            "s",
            [quantiles("avatar_serving_draw_seconds", "5m", quantile=quantile) for quantile in (0.5, 0.95)],
            "nothing was drawn",
            width=6,
        ),
        Graph(
            "Invocations",
            "A second, by outcome, and how many wait or are drawn.",
            "none",
            [
                Query(
                    f"sum by (outcome) (rate(avatar_serving_invocations_total[{_WINDOW}]))",
                    "{{outcome}} a second",
                ),
                Query("sum(avatar_serving_invocations_in_progress)", "in progress"),
            ],
            _NO_CONTAINER,
            width=6,
        ),
        Graph(
            "Loads that were refused",
            "In five minutes, by the code of the refusal. InsufficientMemory has the platform unload others and try again.",
            "none",
            [
                Query(
                    'sum by (outcome) (increase(avatar_serving_adapter_loads_total{outcome!="Loaded"}[5m])) > 0',
                    "{{outcome}}",
                )
            ],
            "none was refused",
            width=6,
        ),
    ],
)

ENDPOINTS = Board(
    uid="avatar-endpoints",
    title="Avatars / Endpoints",
    description="Instances, GPU time and pictures, and the cache of personal models where it can be looked into.",
    sections=[_NOW, _OUTSIDE, _INSIDE],
)
