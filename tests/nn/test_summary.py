"""Every printed row of Tables 1 and 2 (with the spec's resolutions) against the live network."""

import pytest

from pgnet.errors import PgnetError
from pgnet.nn import MODELS, PGNet
from pgnet.nn.summary import Row, rows, summary_text

# part, layer, kernel, stride, channels, dilation, padding, search, template, repeats; in the order of the tables.
TABLE_1 = [
    ("stem", "conv", 7, 2, 64, 1, 0, 125, 61, 1),
    ("stem", "max-pool", 2, 2, 64, 1, 1, 63, 31, 1),
    ("Block 1", "conv1", 1, 1, 64, 1, 0, 63, 31, 3),
    ("Block 1", "conv2", 3, 1, 64, 1, 1, 63, 31, 3),
    ("Block 1", "conv3", 1, 1, 256, 1, 0, 63, 31, 3),
    ("Block 2", "conv1", 1, 1, 128, 1, 0, 63, 31, 1),
    ("Block 2", "conv2", 3, 2, 128, 1, 0, 31, 15, 1),
    ("Block 2", "conv3", 1, 1, 512, 1, 0, 31, 15, 4),
    ("Block 2", "conv1", 1, 1, 128, 1, 0, 31, 15, 3),
    ("Block 2", "conv2", 3, 1, 128, 1, 1, 31, 15, 3),
    ("Block 3", "conv1", 1, 1, 256, 1, 0, 31, 15, 6),
    ("Block 3", "conv2", 3, 1, 256, 1, 1, 31, 15, 1),
    ("Block 3", "conv2", 3, 1, 256, 2, 2, 31, 15, 5),
    ("Block 3", "conv3", 1, 1, 1024, 1, 0, 31, 15, 6),
    ("Block 4", "conv1", 1, 1, 512, 1, 0, 31, 15, 3),
    ("Block 4", "conv2", 3, 1, 512, 2, 2, 31, 15, 1),
    ("Block 4", "conv2", 3, 1, 512, 4, 4, 31, 15, 2),
    ("Block 4", "conv3", 1, 1, 2048, 1, 0, 31, 15, 3),
    # The convolutions of the Adjusted Sums, only where channels or size change.
    ("Block 1", "shortcut", 1, 1, 256, 1, 0, 63, 31, 1),
    ("Block 2", "shortcut", 1, 2, 512, 1, 0, 31, 15, 1),
    ("Block 3", "shortcut", 1, 1, 1024, 1, 0, 31, 15, 1),
    ("Block 4", "shortcut", 1, 1, 2048, 1, 0, 31, 15, 1),
]
TABLE_2 = [
    ("adjusted layer", "search", 3, 1, 256, 1, 0, 29, 0, 3),
    ("adjusted layer", "template", 3, 1, 256, 1, 0, 0, 5, 3),
    ("PG-Corr", "", 1, 1, 256, 1, 0, 29, 0, 3),
    ("shared convs", "conv1", 3, 1, 256, 1, 0, 27, 0, 3),
    ("shared convs", "conv2", 3, 1, 256, 1, 0, 25, 0, 3),
    ("Cls head", "conv1", 3, 1, 256, 1, 1, 25, 0, 3),
    ("Cls head", "conv2", 1, 1, 10, 1, 0, 25, 0, 3),
    ("Reg head", "conv1", 3, 1, 256, 1, 1, 25, 0, 3),
    ("Reg head", "conv2", 1, 1, 20, 1, 0, 25, 0, 3),
    ("enhanced detection", "Cls", 3, 1, 10, 1, 1, 25, 0, 1),
    ("enhanced detection", "Reg", 3, 1, 20, 1, 1, 25, 0, 1),
]


def shape(row: Row) -> tuple[object, ...]:
    return (
        row.part,
        row.layer,
        row.kernel,
        row.stride,
        row.channels,
        row.dilation,
        row.padding,
        row.search,
        row.template,
    )


@pytest.fixture(scope="module")
def r50() -> PGNet:
    return MODELS["pgnet-r50"]()


@pytest.mark.parametrize("number", [1, 2])
def test_r50_is_the_printed_network(r50: PGNet, number: int) -> None:
    counted: dict[tuple[object, ...], int] = {}
    for row in rows(r50):
        if row.table == number:
            counted[shape(row)] = counted.get(shape(row), 0) + row.repeats
    printed = TABLE_1 if number == 1 else TABLE_2
    assert {(*key, repeats) for key, repeats in counted.items()} == set(printed)


def test_costs_are_those_of_the_network(r50: PGNet) -> None:
    table = rows(r50)
    weights = sum(p.numel() for p in r50.parameters()) - 6  # but for the three level weights of either sum
    assert sum(row.parameters for row in table) == weights
    assert sum(row.macs for row in table if row.search) == pytest.approx(35.0e9, rel=2e-3)


def test_lite_is_small() -> None:
    assert sum(row.macs for row in rows(MODELS["pgnet-lite"]()) if row.search) < 1.9e9


def test_text_shows_tables_and_totals() -> None:
    text = summary_text("pgnet-lite")
    assert "Table 1: backbone" in text and "Table 2: target location network" in text
    assert "PG-Corr" in text and "1.50 GMAC" in text


def test_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(PgnetError, match="pgnet-r50, pgnet-lite"):
        summary_text("nonsense")
