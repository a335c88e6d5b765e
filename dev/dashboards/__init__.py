"""The dashboards of charts/avatar-operator/files/dashboards, as Python.

A board is sections of panels, a panel is questions to Prometheus (`board`); what each dashboard shows stands in `platform_board`,
`operator_board`, `endpoints_board` and `tenant_board`; `grafana` makes JSON of it with Grafana's own typed builders. The JSON is
committed, because a chart has to be complete without Python. `prometheus_server` and `picture` are for people and tests: no
Grafana is needed to see what the questions of a board answer.

What has happened seldom (trainings, requests) is looked at over an hour, because a rate over a minute would show a comb; what the
operator does all the time over `$__rate_interval`. A figure is 0 only where that is known: a sum of counters that begin with
their first event is `or 0 * sum(avatar_leader)`, so that it is 0 where an operator is scraped and absent where none is. What two
replicas both tell is not added up: `max by`.
"""
