"""How large a defect has to be."""

import numpy as np

from awl_vae.training.fitting.sizes import FoundBySize


def test_defects_are_counted_by_kind_and_size():
    sizes = np.array([5.0, 6.0, 7.0, 20.0, 20.0, 20.0, 40.0, 200.0])
    found = np.array([False, False, True, True, True, False, True, True])
    kinds = np.array(["stain"] * 6 + ["blur"] * 2)
    counted = FoundBySize.of(kinds, sizes, found)
    assert [str(one) for one in counted.rows["stain"]] == ["", "1 of 3", "", "2 of 3", "", "", ""]
    assert [str(one) for one in counted.rows["blur"]][4:] == ["1 of 1", "", "1 of 1"]
    assert counted.share == 5 / 8
    assert counted.smallest("stain") == "16 to 32"  # below, fewer than half are found
    assert counted.smallest("blur") == "none"  # too few of each size


def test_no_defect_at_all():
    counted = FoundBySize.of(np.array([], str), np.array([]), np.array([], bool))
    assert counted.share == 0.0
    assert counted.smallest("all") == "none"
