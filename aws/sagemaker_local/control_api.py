"""The server's own API, beside AWS's: look at calls, order faults, turn the clock.

    GET    /_sagemaker_local/health                         {"status": "running", "endpoints": 2}
    GET    /_sagemaker_local/calls?api=...&InferenceId=...   {"calls": [...], "totals": {...}}     DELETE forgets them
    GET    /_sagemaker_local/faults                          {"faults": [...]}       POST adds one, DELETE removes all
    GET    /_sagemaker_local/moderation                      {"rules": [...]}        POST adds one, DELETE removes all
    GET    /_sagemaker_local/clock                           {"speed": 1.0}          PUT sets it
    GET    /_sagemaker_local/redeliveries                    {"most": 0}             PUT sets it
    GET    /_sagemaker_local/instances                       the instances in service: id, endpoint, variant, pid, port, ...

Bad input is answered with 400 and {"error": "<one sentence>"}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from sagemaker_local.async_inference.redelivery import Redelivery
from sagemaker_local.calls import CallLog
from sagemaker_local.clock import Clock
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.delivery_faults import DeliveryFaults
from sagemaker_local.errors import AwsError, json_response
from sagemaker_local.faults import FaultBoard
from sagemaker_local.moderation.rules import RuleBoard
from sagemaker_local.request_bodies import read_body

CONTROL_PATH = "/_sagemaker_local/"
MAX_BODY_BYTES = 64 << 10


class ControlApi:
    """Answers requests below `CONTROL_PATH`."""

    def __init__(
        self,
        calls: CallLog,
        faults: FaultBoard,
        delivery_faults: DeliveryFaults,
        moderation_rules: RuleBoard,
        clock: Clock,
        redelivery: Redelivery,
        registry: EndpointRegistry,
    ) -> None:
        self._calls = calls
        self._faults = faults
        self._delivery_faults = delivery_faults
        self._moderation_rules = moderation_rules
        self._clock = clock
        self._redelivery = redelivery
        self._registry = registry
        self._routes: dict[tuple[str, str], Callable[[Request], dict[str, Any]]] = {
            ("GET", "health"): self._health,
            ("GET", "calls"): lambda request: self._calls.listing(request.args.to_dict()),
            ("DELETE", "calls"): lambda _: self._done(self._calls.clear),
            ("GET", "faults"): lambda _: {"faults": self._faults.listing()},
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): lambda _: self._done(self._clear_faults),
            ("GET", "moderation"): lambda _: {"rules": self._moderation_rules.listing()},
            ("POST", "moderation"): self._add_moderation_rule,
            ("DELETE", "moderation"): lambda _: self._done(self._moderation_rules.clear),
            ("GET", "clock"): lambda _: {"speed": self._clock.speed},
            ("PUT", "clock"): self._set_clock,
            ("GET", "redeliveries"): lambda _: {"most": self._redelivery.most},
            ("PUT", "redeliveries"): self._set_redeliveries,
            ("GET", "instances"): self._instances,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request; never raises."""
        route = self._routes.get((request.method, request.path.removeprefix(CONTROL_PATH)))
        if route is None:
            known = ", ".join(f"{method} {CONTROL_PATH}{name}" for method, name in self._routes)
            return json_response({"error": f"no {request.method} {request.path}; there is {known}"}, 404)
        try:
            return json_response(route(request))
        except (ValueError, TypeError, AwsError) as error:
            return json_response({"error": str(error)}, 400)

    def _health(self, request: Request) -> dict[str, Any]:
        return {"status": "running", "endpoints": len(self._registry.all())}

    def _add_fault(self, request: Request) -> dict[str, Any]:
        self._faults.add(_body(request))
        return {"faults": self._faults.listing()}

    def _add_moderation_rule(self, request: Request) -> dict[str, Any]:
        self._moderation_rules.add(_body(request))
        return {"rules": self._moderation_rules.listing()}

    def _clear_faults(self) -> None:
        self._faults.clear()
        self._delivery_faults.let_go()
        for endpoint in self._registry.all():
            for variant in endpoint.serving_variants():
                for instance in variant.fleet.in_service():
                    instance.resume()

    def _set_clock(self, request: Request) -> dict[str, Any]:
        self._clock.speed = float(_body(request).get("speed", 1.0))
        return {"speed": self._clock.speed}

    def _set_redeliveries(self, request: Request) -> dict[str, Any]:
        self._redelivery.most = _body(request).get("most", 0)
        return {"most": self._redelivery.most}

    def _instances(self, request: Request) -> dict[str, Any]:
        return {
            "instances": [
                {
                    "id": instance.id,
                    "endpoint": endpoint.name,
                    "variant": variant.spec.name,
                    "state": instance.state.value,
                    "pid": instance.pid,
                    "port": instance.port,
                    "in_flight": instance.in_flight,
                    "directory": str(instance.directory),
                }
                for endpoint in self._registry.all()
                for variant in endpoint.serving_variants()
                for instance in variant.fleet.in_service()
            ]
        }

    @staticmethod
    def _done(action: Callable[[], None]) -> dict[str, Any]:
        action()
        return {}


def _body(request: Request) -> dict[str, Any]:
    read_body(
        request,
        MAX_BODY_BYTES,
        AwsError("ValidationException", f"the body exceeds {MAX_BODY_BYTES} bytes"),
    )
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body
