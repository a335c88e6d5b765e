"""`make cluster-demo`: what `make demo` shows, as it is installed: Pods on a real node, from the images, by the chart.

`avatar_demo` starts programs and needs no root. Here the same example goes the same way, is watched by the same eyes and ends with
the same sheet; what differs is who runs what, and that is all that these modules know.
"""
