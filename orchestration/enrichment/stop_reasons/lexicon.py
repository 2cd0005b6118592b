"""The lexicon of `stop_reasons`: the reasons, who decided, what to overlook, and words without a say."""

from orchestration.enrichment.rules import Lexicon
from orchestration.enrichment.stop_reasons.reasons import ENROLL, PEOPLE, STRONG

_ENDED = (
    r"(?:terminat\w+|withdr[ae]w\w*|stopp\w*|clos\w+|cancel\w*|end\w*|halt\w*|discontinu\w+|suspend\w*|not continu\w+)"
)
_DECIDE = r"(?:decisions?|decides?|decided|choice|request\w*|discretion|determination|chose|elected|desire|opted)"
_DECIDER = (
    r"(?:the )?(?:sponsor\w*'?s?|company'?s?|pi|p\.i\.|(?:principal |primary )?investigators?'?s?|manufacturer|"
    r"management|institution|institute|university|department|novartis|pfizer|sanofi|merck|lilly|janssen|"
    r"study team|team|"
    r"authors?|study chair|board|steering committee|pharma\w*|organi[sz]ation|cro|roche|gsk|bayer|astrazeneca|"
    r"abbvie|bms)"
)

WEAK = {
    "invalid_reason": [
        r"(?:^|(?<=[.;:,] ))(?:the |this )?(?:study |trial |research |project |data collection |primary |final |"
        r"analysis )*(?:is |was |are |has "
        r"been |were )?(?:successfully |already )?(?:completed|finished|complete|concluded)(?: as planned|"
        r" successfully)?",
    ],
    "business_administrative": [
        rf"{_DECIDER}(?:[ /](?:investigator|sponsor|pi|\w+))? (?:\w+ ){{0,2}}?{_DECIDE}(?: (?:to|not) \w+)?",
        rf"{_DECIDE} (?:of|by|from|made by|taken by) {_DECIDER}",
        rf"{_DECIDER} (?:has |had |have )?{_ENDED}",
        rf"{_ENDED} (?:\w+ ){{0,2}}?(?:by|at the request of|per|upon request of|on request of) {_DECIDER}",
        r"(?:company|internal|management|sponsor'?s?|corporate|institutional|executive) (?:operational |internal )?"
        r"(?:decision|reason)s?",
        r"(?:sponsor|investigator) (?:has |had )?no (?:longer )?interest(?:ed)?|lost interest|(?:no|lack of) interest",
    ],
    "insufficient_enrollment": [
        rf"(?:no|zero|none|only \w+|one|two|\d+|without(?: any)?) (?:\w+ )?{PEOPLE}(?: \w+){{0,3}}? {ENROLL}",
        rf"(?:has |have |had |was |were |did |never |ever )*(?:never|not|0|zero|no|without) (?:yet |ever )?{ENROLL}"
        rf"(?: (?:any|a single|yet|{PEOPLE}))*",
        r"(?:not )?feasib(?:le|ility)|infeasib\w+|unfeasib\w+",
    ],
    "interim_analysis": [
        r"(?:recommend\w*|decision|advice) (?:\w+ ){0,6}?(?:dsmb|dmc|idmc|dsmc|data (?:and )?safety|data monitoring|"
        r"monitoring committee)(?: \w+){0,3}",
        r"(?:dsmb|dmc|idmc|dsmc|data (?:and )?(?:safety )?monitoring (?:board|"
        r"committee)) (?:\w+ ){0,2}?(?:recommend\w*|"
        r"decision|advice)",
        r"stopping (?:rules?|criteria|boundar\w+)(?: \w+)?|based on (?:\w+ ){0,3}?(?:results|data)",
    ],
}

DISMISSED = [
    r"in agreement with|irb approved",
    r"(?:prior to|before|pending) (?:the )?(?:irb|ethics|fda|regulatory|hospital)(?: \w+)? ?(?:approval|review|"
    r"submission)?"
    r"(?: and enroll\w*)?",
    r"(?:(?:and|which|this|that|it|the|termination|decision|discontinuation|was|is|were|are|to stop|study|made) )*"
    r"(?:not|no|nor|never|neither|unrelated|without|independent\w*|rather than|non)\b[^.;:]{0,45}?"
    r"\b(?:(?:safety|adverse|tolerability|toxicity|efficacy|regulatory|benefit[ -]risk)[ /-]*(?:and/or|or|and|"
    r"nor)?[ /-]*)*"
    r"(?:safety|adverse|tolerability|toxicity|benefit[ -]risk)(?: (?:or|and|and/or|"
    r"nor) (?:lack of )?(?:\w+ )?(?:efficacy|"
    r"regulatory|tolerability))*(?: (?:or|and|related|concerns?|issues?|reasons?|findings?|signals?|problems?|risks?|"
    r"observations?|events?|considerations?|data|interactions?))*",
    r"(?:prior to|before|without|with no) (?:the )?(?:any )?(?:first )?(?:\w+ )?(?:enroll\w*|enrol\w*|"
    r"recruit\w*|inclusion|"
    r"accru\w*|screening|randomi[sz]\w+)(?: (?:of )?(?:any |the |its |a )?(?:first )?(?:patients?|subjects?|"
    r"participants?))?",
    r"(?:prior to|before|without) (?:any |the |enrolling |recruiting )*(?:first )?(?:patients?|subjects?|participants?)"
    r"(?: \w+){0,2}? ?(?:enrolled|recruited|included|randomi[sz]ed|enrollment|enrolment)?",
    r"no (?:patients?|subjects?|participants?) (?:were|was|have been|has been|had been) (?:\w+ )?(?:harmed|"
    r"treated|dosed)",
]

# Words without a say where something else gives the reason; where nothing does, they hint at a reason not recognised.
MODIFIER = (
    r"low|lower|slow|lack|loss|poor|insufficient|limited|target|goal|aim|difficult\w*|failure|failed|unable|delay\w*|"
    r"unexpected\w*|unforeseen|unfortunately|issues?|problems?|concerns?|due|because|reach\w*|met|meet|need\w*|support|"
    r"recommend\w*|submitted|change[ds]?|internal|approved|data|new|recruit\w*|sponsor\w*|investigators?|pi|results?"
)

FILLER = (
    r"an?|the|this|that|these|those|th?ey|it|its|was|were|is|are|be|been|being|has|have|had|will|would|did|do|"
    r"does|as|at|"
    r"by|for|from|in|into|of|on|per|to|with|within|and|or|also|but|so|owing|caused|secondary|related|"
    r"reasons?|based|since|after|upon|given|lead\w*|thus|therefore|which|who|there|we|our|their|us|i|any|more|most|"
    r"stud(?:y|ies)|trials?|clinical|research|project|protocol|phase|part|site|sites|center|centers?|centres?|"
    r"terminat\w*|withdrawn?|withdrew|stop\w*|halt\w*|clos\w+|cancel\w*|ended|end|ending|discontinu\w*|"
    r"suspend\w*|suspension|"
    r"interrupt\w*|abort\w*|abandon\w*|early|earlier|premature\w*|temporar\w*|permanent\w*|currently|current|"
    r"never|not|no|"
    r"start\w*|initiat\w*|began|begun|open\w*|conduct\w*|continu\w*|proceed\w*|perform\w*|carr(?:y|ied)|"
    r"implement\w*|activat\w*|"
    r"complet\w*|decid\w*|decision|made|make|take|taken|further|other|longer|moving|moved|forward|out|off|up|"
    r"down|over|than|"
    r"eligib\w*|suitable|qualified|available|adequate\w*|sufficient\w*|appropriate|significant\w*|very|too|only|"
    r"just|all|some|"
    r"expected|anticipat\w*|planned|projected|overall|general|time|timely|manner|reasonable|frame|timeframe|"
    r"period|years?|"
    r"months?|weeks?|days?|date|status|patients?|subjects?|participants?|first|at|"
    r"withdrawal|pending|prior|before|despite|throughout|following|plus|stage|observed|hold|able|"
    r"seen|found|obtain\w*|received?|request\w*|primary|main|specific|original\w*|several|many|few|full|"
    r"agreed|acknowledged|fully|both|about|approximately|"
    r"resum\w+|restart\w*|re-?open\w*|postpon\w*|paus\w+|put|place|again|possible|group|"
    r"least|almost|having|without|between|"
    r"could|can|may|if|when|while|during|until|yet|then|still|now|once|rates?|number|numbers|\d+|"
    r"enrol\w*|accru\w*|inclusion|required|necessary|additional|needed|hence|s"
)

STOP_REASONS = Lexicon(strong=STRONG, weak=WEAK, dismissed=DISMISSED, filler=FILLER, modifier=MODIFIER)
