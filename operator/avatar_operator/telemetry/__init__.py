"""What the operator says about itself: metrics, probes and log lines.

`metrics` and `cost_metrics` hold what every part counts, and `retry_reasons` what can be counted; `object_ages`,
`object_counts`, `queue_metrics` and `replica_metrics` are worked out from what the parts know, `loop_watch` and `health` judge
whether the process still gets on, `http_server` answers Prometheus and the kubelet, `logs` says how a line looks. Nothing
here decides anything about an object.
"""
