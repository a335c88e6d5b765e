"""The pages of docs/ that are tables of what stands in the code: the operator's settings, and the metrics of all parts.

The words stand where the thing itself does (a setting's description, a metric's help text), so that nothing is written twice and
a running system says the same as the page. Metrics are looked for in the registry of an operator that is put together and never
started, not in the source: what is published is what is told, wherever it comes from.
"""
