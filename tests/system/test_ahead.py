import pytest

from awl_vae.system.ahead import map_ahead


@pytest.mark.parametrize("together", [1, 4, 100])
def test_results_come_in_order_and_values_are_taken_as_far_ahead_as_asked(together):
    taken = []

    def values():
        for value in range(50):
            taken.append(value)
            yield value

    results = map_ahead(lambda value: value**2, values(), num_threads=2, ahead=8, together=together)
    assert next(results) == 0
    assert len(taken) <= max(8, together) + together
    assert list(results) == [value**2 for value in range(1, 50)]


def test_an_error_comes_where_its_value_would_have():
    results = map_ahead(lambda value: 1 // value, [2, 1, 0], num_threads=1, ahead=3)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
