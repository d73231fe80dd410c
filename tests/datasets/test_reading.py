import numpy as np
import pytest

from pgnet.datasets.reading import parse_rows


@pytest.mark.parametrize("text", ["1,2,3,4", "1\t2\t3\t4", "1 2 3 4", " 1, 2,\t3 ,4 \r\n", "1;2;3;4", "1,2,3,4,\n\n"])
def test_separators(text):
    assert parse_rows(text, "x").tolist() == [[1, 2, 3, 4]]


def test_nan_is_a_number():
    assert np.isnan(parse_rows("NaN,NaN,NaN,NaN\n1,2,nan,4", "x")).sum() == 5
