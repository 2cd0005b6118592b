"""The sections of the nightly brief, in the order of the page."""

from orchestration.reports.section import Declaration
from orchestration.reports.sections import (
    changes_last_night,
    enrollment_velocity,
    llm_spend,
    notable_changes,
    sponsors_that_moved,
    stop_reasons_over_time,
    trials_by_area_and_phase,
)

SECTIONS: tuple[Declaration, ...] = (
    changes_last_night.SECTION,
    notable_changes.SECTION,
    trials_by_area_and_phase.SECTION,
    sponsors_that_moved.SECTION,
    stop_reasons_over_time.SECTION,
    enrollment_velocity.SECTION,
    llm_spend.SECTION,
)
