from .concern import Concern as Concern, listed as listed
from .defects import MeasuredMask as MeasuredMask, mask_concerns as mask_concerns
from .levels import range_concern as range_concern
from .page import (
    Report as Report,
    Table as Table,
    check_page as check_page,
    write_page as write_page,
)
from .survey import (
    Survey as Survey,
    image_concerns as image_concerns,
    read_layout as read_layout,
)
from .tables import counts_table as counts_table, defects_table as defects_table
