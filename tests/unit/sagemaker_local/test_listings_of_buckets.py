"""A bucket is listed while its objects go: what is gone is not in the list, and the list does not fail."""

from __future__ import annotations

import pytest
from moto.s3.utils import _VersionedKeyStore

from sagemaker_local.moto_bridge import let_listings_miss_what_goes


@pytest.mark.parametrize(
    ("names", "rest"),
    [
        (("lists", "iterlists"), [("c", ["three"])]),
        (("items", "iteritems"), [("c", "three")]),
        (("values", "itervalues"), ["three"]),
    ],
    ids=["lists", "items", "values"],
)
def test_what_is_deleted_while_a_listing_is_made_is_left_out(
    names: tuple[str, str], rest: list[object]
) -> None:
    let_listings_miss_what_goes()
    for name in names:
        store = _VersionedKeyStore()
        for key, content in (("a", "one"), ("b", "two"), ("c", "three")):
            store[key] = content
        listing = getattr(store, name)()
        next(listing)

        del store["b"]

        assert list(listing) == rest
