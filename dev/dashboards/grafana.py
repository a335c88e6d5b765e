"""A board as the JSON that Grafana reads, by Grafana's own builders: these know names, types and places in the grid.

Nothing in it is Grafana's to choose: uids and numbers are ours, keys are sorted. So the bytes change with a board and with
nothing else.
"""

from __future__ import annotations

import itertools
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

from dashboards.board import Board, Choice, Figure, Graph, Panel, Query

TAG: Final = "avatars"
DATASOURCE: Final = "${datasource}"
_GRAPH_HEIGHT, _FIGURE_HEIGHT = 8, 4


def to_json(board: Board) -> str:
    """The dashboard's file."""
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .editable()
        .refresh("30s")
        .time(f"now-{board.hours}h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Avatars")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .keep_time(True)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for choice in board.choices:
        built = built.with_variable(_variable(choice))
    ids = itertools.count(1)
    for section in board.sections:
        built = built.with_row(dashboard.Row(section.title).id(next(ids)))
        for panel in section.panels:
            built = built.with_panel(_panel(panel).id(next(ids)))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


def _variable(choice: Choice) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(choice.name)
        .label(choice.title)
        .datasource(_datasource())
        .query(f"label_values({choice.series}, {choice.label})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def _panel(panel: Panel) -> timeseries.Panel | stat.Panel:
    return _graph(panel) if isinstance(panel, Graph) else _figure(panel)


def _graph(graph: Graph) -> timeseries.Panel:
    built = (
        timeseries.Panel()
        .title(graph.title)
        .description(graph.description)
        .unit(graph.unit)
        .datasource(_datasource())
        .no_value(graph.empty)
        .span(graph.width)
        .height(_GRAPH_HEIGHT)
        .min(0)
        .fill_opacity(40 if graph.stacked else 8)
        .show_points(common_model.VisibilityMode.NEVER)
        .legend(common.VizLegendOptions().placement(common_model.LegendPlacement.BOTTOM).show_legend(True))
        .tooltip(common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI))
    )
    if graph.stacked:
        built = built.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL))
    for query, name in zip(graph.queries, "ABCDEF", strict=False):
        built = built.with_target(_target(query, name).range())
    return built


def _figure(figure: Figure) -> stat.Panel:
    # An increase is extrapolated, and nobody has seen half a failure.
    decimals = 0 if figure.unit == "none" else 2
    steps = [model.Threshold(None, figure.colour)]
    steps += [model.Threshold(step.value, step.colour) for step in figure.steps]
    return (
        stat.Panel()
        .title(figure.title)
        .description(figure.description)
        .unit(figure.unit)
        .datasource(_datasource())
        .no_value(figure.empty)
        .span(figure.width)
        .height(_FIGURE_HEIGHT)
        .decimals(decimals)
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(_target(figure.query, "A").instant())
    )


def _target(query: Query, name: str) -> prometheus.Dataquery:
    built = prometheus.Dataquery().expr(query.expression).ref_id(name).datasource(_datasource())
    return built.legend_format(query.legend) if query.legend else built


def _datasource() -> model.DataSourceRef:
    return model.DataSourceRef(type_val="prometheus", uid=DATASOURCE)
