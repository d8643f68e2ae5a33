from .auc import AdaptAUC as AdaptAUC
from .best_model import BestModel as BestModel
from .branch_event_writer import BranchEventWriter as BranchEventWriter
from .epoch_order import EpochOrder as EpochOrder
from .event_writer import EventWriter as EventWriter
from .finite import (
    NonFiniteError as NonFiniteError,
    StopOnNonFinite as StopOnNonFinite,
)
from .history_writer import HistoryWriter as HistoryWriter
from .latents import WatchLatents as WatchLatents, is_empty as is_empty
from .loss_adapted import LossAdaptedSearch as LossAdaptedSearch
from .loss_weight_scheduler import LossWeightScheduler as LossWeightScheduler
from .progress import Progress as Progress
from .resume import Resume as Resume
from .rules import (
    AnnealingRule as AnnealingRule,
    ClimbRule as ClimbRule,
    PaperRule as PaperRule,
    Rule as Rule,
    Step as Step,
    should_switch as should_switch,
)
from .search.moving_weight import (
    NONE as NONE,
    Motion as Motion,
    Move as Move,
    falling_weight as falling_weight,
    is_rising as is_rising,
    moving_branches as moving_branches,
    rising_weight as rising_weight,
)
from .search.plan import (
    CONVENTIONAL as CONVENTIONAL,
    SearchPlan as SearchPlan,
)
from .search.rows import (
    EpochRow as EpochRow,
    first_nonfinite as first_nonfinite,
    has_diverged as has_diverged,
    of_branch as of_branch,
)
from .snapshot import save_model as save_model
