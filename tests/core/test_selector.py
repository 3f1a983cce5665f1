"""What picks a job by its name or its tags."""

import pytest

from collector.core.selector import selects


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("orders", True),
        ("ord.*", True),
        ("ord", False),
        ("Orders", False),
        ("(?i)Orders", True),
        ("tag:team", True),
        ("tag:tier", False),
        ("tag:team=sales", True),
        ("tag:team=", False),
        ("tag:team=sal", False),
        ("tag:formula=a=b", True),
        ("tag:empty=", True),
    ],
)
def test_a_selector_means_a_whole_name_or_a_tag(selector: str, expected: bool) -> None:
    """Names are matched as a whole, tags by key or by key and exact value."""
    assert expected is selects(selector, "orders", {"team": "sales", "formula": "a=b", "empty": ""})
