"""What the serving container counts, for Prometheus. No label names a model or a user."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 180.0)


class ServingMetrics:
    """The metrics of one container, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.loads = Counter(
            "avatar_serving_adapter_loads",
            "Requests to load a personal model, by outcome: Loaded, or the code of the refusal.",
            ["outcome"],
            registry=self.registry,
        )
        self.load_seconds = Histogram(
            "avatar_serving_adapter_load_seconds",
            "Seconds to check a personal model and make it resident.",
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.evictions = Counter(
            "avatar_serving_adapter_evictions",
            "Personal models unloaded at the platform's wish.",
            registry=self.registry,
        )
        self.adapters = Gauge(
            "avatar_serving_adapters", "Personal models resident now.", registry=self.registry
        )
        self.adapter_bytes = Gauge(
            "avatar_serving_adapter_bytes", "Bytes of resident personal models.", registry=self.registry
        )
        self.adapter_budget_bytes = Gauge(
            "avatar_serving_adapter_budget_bytes",
            "Bytes that resident personal models may take.",
            registry=self.registry,
        )
        self.invocations = Counter(
            "avatar_serving_invocations",
            "Invocations by who draws (base, personal) and outcome: Drawn, or the code of the refusal.",
            ["model", "outcome"],
            registry=self.registry,
        )
        self.invocations_in_progress = Gauge(
            "avatar_serving_invocations_in_progress",
            "Invocations waiting or being drawn.",
            registry=self.registry,
        )
        self.pictures = Counter(
            "avatar_serving_pictures",
            "Pictures drawn, by who draws (base, personal).",
            ["model"],
            registry=self.registry,
        )
        self.draw_seconds = Histogram(
            "avatar_serving_draw_seconds",
            "Seconds to draw one batch of pictures, without waiting for its turn.",
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
