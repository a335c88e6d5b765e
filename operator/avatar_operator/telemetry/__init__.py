"""What the operator says about itself: metrics, probes and log lines.

`metrics` holds what every part counts, `cost_metrics`, `object_ages` and `replica_metrics` are worked out from what the
parts know, `loop_watch` and `health` judge whether the process still gets on, `http_server` answers Prometheus and the
kubelet, `logs` says how a line looks. Nothing here decides anything about an object.
"""
