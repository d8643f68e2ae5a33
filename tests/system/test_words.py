from awl_vae.system.words import quantity


def test_one_is_no_plural():
    assert [quantity(number, "run") for number in range(3)] == ["0 runs", "1 run", "2 runs"]
