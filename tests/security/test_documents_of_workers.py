"""A worker's document is a claim: whoever runs a worker can neither wedge a model, nor take another one's artifact, nor
silence anybody.
"""

from __future__ import annotations

from functools import partial

from e2e.flight import Flight, OperatorProcess, eventually


def test_a_worker_is_believed_only_as_far_as_what_it_says_can_be_true(
    flight: Flight, operator: OperatorProcess
) -> None:
    messages = "avatar_ingest_messages_total"
    impossible, dropped = (
        partial(operator.metric, messages, kind=kind, outcome=outcome)
        for kind, outcome in (("Progress", "Impossible"), ("Unparsable", "Dropped"))
    )
    before = impossible(), dropped()
    flight.apply(flight.runtime_manifest(), flight.model_manifest("victim", token="honest"))
    flight.wait_for_state("avm", "victim", "Ready")
    flight.apply(
        *(
            flight.model_manifest(name, token=name, training={"steps": 100})
            for name in ("boaster", "forever", "verbose", "thief")
        )
    )

    boaster = eventually(
        lambda: flight.get("avm", "boaster"),
        lambda body: (
            body is not None and body.get("status", {}).get("training", {}).get("progress") is not None
        ),
        what="progress of the boaster",
    )
    assert boaster is not None
    assert boaster["status"]["training"]["progress"]["step"] == 50
    flight.s3.put_object(Bucket=flight.bucket, Key="release", Body=b"")
    flight.wait_for_state("avm", "boaster", "Ready")
    assert (impossible() - before[0], dropped() - before[1]) == (1, 1)

    for name in ("forever", "verbose"):
        failed = flight.wait_for_state("avm", name, "Failed")
        assert failed["status"]["lastFailure"]["reason"] == "ResultInvalid"
        assert len(flight.submissions(failed["metadata"]["uid"])) == 1
    thief = flight.wait_for_state("avm", "thief", "Failed")
    assert thief["status"]["lastFailure"]["reason"] == "ArtifactInvalid"
    own = f"s3://{flight.bucket}/artifacts/{flight.namespace}/{thief['metadata']['uid']}/"
    assert f"but was told {own}" in thief["status"]["lastFailure"]["message"]
    assert "artifact" not in thief["status"]
