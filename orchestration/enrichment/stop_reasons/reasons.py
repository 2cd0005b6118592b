"""The words in which registries say why a study stopped, per class of Open Targets' list, as regular expressions."""

GAP = r"(?:[^\w.,;:/]+[\w'-]+){0,%d}?[^\w.,;:/]+"
NEAR, FAR = GAP % 3, GAP % 6

ENROLL = r"(?:(?:re)?crui?t\w*|enrol\w*|accru\w*|accural|inclusions?|include|screening|randomi[sz]ation)"
PEOPLE = (
    r"(?:patients?|patinets?|subjects?|participants?|volunt?e+rs?|volount\w+|pts|people|persons|individuals|"
    r"candidates?|cases|children|women|men|donors|families|enrollees|participation|population|cohort)"
)
POOR = (
    r"(?:low\w*|slow\w*|poor\w*|insufficient\w*|inadequate\w*|inadecuate|limited|limits?|lack(?:ing|ed|s)?|lagging|"
    r"difficult\w*|dificult\w*|problem\w*|challeng\w*|issues?|fail(?:ed|ure|ing|s)?|unable|inability|impossib\w+|"
    r"(?:not|never) (?:be(?:en|ing)? |yet )?(?:able|enough|sufficient|met|reached|achieved|feasible|possible|as)|"
    r"cannot|could ?n[o']t|can ?not|did(?: not|n[o']t)|under|few(?:er)?|less|zero|no|none|nobody|small|bad|weak|"
    r"unsatisfactory|suboptimal|stagna\w+|stall\w*|hard|unlikely|short\w*|too|trouble\w*|struggl\w*|feasibility|"
    r"infeasib\w+|unfeasib\w+|absence|behind|below|barrier\w*|delay\w*|declin\w+|deficien\w+|never|unsuccessful\w*|"
    r"not|without|non|nil|sluggish|scarc\w+|underenrol\w*|only (?:\d+|one|two|three))"
)
# "No benefit for patients" is about the treatment and not about patients.
NO_EFFECT = r"(?! (?:of )?(?:\w+ )?(?:benefits?|effects?|efficacy|improvement|differences?|safety))"
# The name of a study, such as SERVE-HF: the only pattern in which capitals count.
CODE = r"(?-i:(?!COVID|DSMB|FDA|SARS)[A-Z][A-Z0-9]+[A-Z0-9-]+)"
PI = (
    r"(?:p\.?i\.?(?:'?s)?|(?:(?:the|co|sub|lead|local|main|study|site)[ -])*(?:principal |primary |coordinating )?"
    r"investigators?(?: ?\(pi\))?|researchers?|physicians?|surgeons?|doctors?|fellow|resident|"
    r"(?:key |study |research )*(?:staff|personnel|coordinators?|nurse|team members?|faculty(?: members?)?)|"
    r"(?:phd |doctoral |graduate |master )?students?|dr\.? \w+|collaborators?|mentor|professor|chair)"
)
SUPPLY = (
    r"(?:study )?(?:drugs?|devices?|medications?|medicines?|products?|supply|supplies|supplier|suppliers|imp|placebo|"
    r"vaccines?|kits?|tracer|equipment|materials?|machine|scanner|software|treatment|compound|ingredient|agents?|"
    r"formula|diet|reagents?|test article|instrument\w*|beds?|space|room|lab|laboratory|mri|app)"
)

STRONG = {
    "insufficient_enrollment": [
        rf"{POOR}{NEAR}(?:\w+ )?{ENROLL}(?:{NEAR}{PEOPLE})?",
        rf"(?:lack|absence|shortage|paucity|small number|insufficient number|inadequate number|low number){NO_EFFECT}"
        rf"{NEAR}?(?:\w+ )?{PEOPLE}(?: {ENROLL})?",
        rf"{POOR} {ENROLL}(?:{NEAR}{PEOPLE})?",
        rf"{ENROLL}{FAR}{POOR}(?: (?:slow|low|met|reached|achieved|than \w+|expected|sufficient|long))*",
        rf"{ENROLL} {POOR}",
        rf"(?:lack|absence|shortage|paucity|small|insufficient|inadequate|low|limited|no|not|zero|few|fewer|lower|too)"
        rf"{NO_EFFECT}{GAP % 4}{PEOPLE}",
        rf"(?:no|zero|few|insufficient|inadequate|limited|lack of){NO_EFFECT} (?:\w+ ){{0,2}}{PEOPLE}",
        rf"(?:unable|inability|difficult\w*|problems?|trouble|fail\w*|not possible|hard|impossible|"
        rf"challeng\w*){GAP % 4}"
        rf"(?:find|finding|identify|identifying|obtain|get|getting|attract|secure|sourc\w+){NEAR}(?:\w+ )?{PEOPLE}",
        rf"(?:target|goal|planned|projected|required|desired|intended|adequate|full|necessary)?(?: \w+)? ?"
        rf"(?:sample sizes?|number of {PEOPLE}|{ENROLL} (?:goals?|targets?|numbers?)){NEAR}(?:\w+ )?"
        rf"(?:not|never|un\w+|fail\w*|too small|low|insufficient)(?: \w+)?",
        rf"(?:not possible|unable|inability|impossible|fail\w*|difficult\w*) to (?:\w+ ){{0,5}}?(?:numbers?|"
        rf"no\.?|amount) of "
        rf"(?:\w+ )?{PEOPLE}",
        rf"(?:unable|inability|fail\w*|not|difficult\w*){GAP % 4}(?:sample size|{ENROLL} (?:goals?|targets?|"
        rf"numbers?))",
        rf"(?:only|just) (?:\d+|one|two|three|four|five|six) {NEAR}?(?:{PEOPLE}|{ENROLL})",
        r"low (?:participation|interest|uptake|response rate)(?: [\w'-]+){0,2}",
        rf"(?:lack of|no|low) interest(?: (?:from|of|by|among|in))?(?: [\w'-]+){{0,2}} {PEOPLE}",
        rf"{ENROLL} (?:rates?|issues?|problems?|challenges?|difficult\w*|feasibility|barriers?|delays?)",
        rf"(?:{ENROLL} futility|futile {ENROLL})",
        r"under-?(?:enroll?ment|enrolled|recruitment|recruited|accrual|accrued)",
        r"non-?(?:enroll?ment|recruitment|accrual)",
        rf"{PEOPLE}{NEAR}(?:declin\w+|refus\w+|unwilling|not willing|did not meet|not interested|reluctan\w+)",
    ],
    "covid19": [
        r"(?:(?:the|current|global|ongoing|world\w*) )*(?:covid|sars|corona)(?:[ -]?(?:19|2019|cov)\b)?"
        r"(?:[ -]?(?:19|2|cov-?2|virus|pandemic|pandemia|epidemic|outbreak|crisis|situation|related|restrictions?|"
        r"emergency|disease|impact|lockdown))*",
        r"coronavirus\w*(?: (?:disease|pandemic|outbreak|crisis|2019))*",
        r"(?:the |global )*(?:pandemic|pandemia|lockdown)(?: restrictions?)?",
    ],
    "business_administrative": [
        r"(?:(?:lack|loss|absence|withdrawal|end|shortage|cut|no|insufficient|limited|change|"
        r"termination) (?:of |in )?)*"
        r"(?:(?:study|grant|research|federal|financial|sufficient|further|adequate|budget) )*"
        r"(?:fundings?|funds?|funded|funder\w*|financ\w+|budget\w*|grants?|monetary|money|economic\w*|"
        r"reimbursement|costs?)"
        r"(?: (?:issues?|support|problems?|constraints?|reasons?|ended|expired|withdrawn|unavailable|agency|"
        r"terminated))*",
        r"(?:(?:corporate|strategic|company|internal|commercial|sponsor|pure\w*) )*(?:business|commercial|strateg\w+|"
        r"corporate)(?: (?:and|or|business|strategic))*(?: (?:decisions?|reasons?|considerations?|priorit\w+|strategy|"
        r"objectives?|adjustments?|changes?|development|direction|related|realignment|re-?evaluation|shift|"
        r"needs|plan))*",
        r"(?:re-?)?prioriti[sz]\w+|(?:portfolio|pipeline)(?: [\w'-]+){0,2}|(?:change of |change in )?(?:company'?s? )?"
        r"priorit(?:y|ies)(?: chang\w+)?",
        r"(?:company|sponsor|firm|manufacturer|organi[sz]ation) (?:was |has |been |is |went |gone |going |"
        r"declared )*(?:closed|dissolved|shut ?down|"
        r"sold|acquired|liquidat\w+|bankrupt\w*|insolven\w+|defunct|no longer exists?|went out of business)(?: down)?",
        r"bankrupt\w*|insolven\w+|out of business|merger|acquisition|acquired by|intellectual property(?: issues?)?",
        r"(?:contract\w*|agreements?|negotiations?|licen[cs]\w+|sponsorship|insurance|legal)"
        r"(?: (?:issues?|negotiations?|terminat\w+|problems?|dispute|ended|expired|reasons?))*",
        r"administrat\w+(?: (?:reasons?|decisions?|issues?|problems?))*",
        r"(?:discontinu\w+|stop\w*|terminat\w+|ceas\w+|halt\w*|no longer pursuing|not pursuing|hold|cancel\w*|end\w*) "
        r"(?:of |the |all |its |in )*(?:clinical |drug |product |further |future |compound |program |programme )*"
        r"(?:development|program(?:me)?|asset|pipeline|project)(?: of \w+| program\w*)?",
        r"(?:development|program(?:me)?|compound|asset|project|product)(?: [\w'-]+){0,4}? (?:was |is |been |"
        r"has |to be )*"
        r"(?:discontinu\w+|terminat\w+|stopped|ceased|abandoned|halted|cancell?ed|on hold|suspended)",
        r"(?:r ?\\?& ?d|research and development|clinical development|development) (?:plans?|strategy|program)"
        r"(?: [\w'-]+){0,2}",
        r"(?:transfer\w*|sold|out-?licen[cs]ed|assign\w*)(?: [\w'-]+){0,4}? (?:another|other|new|different) "
        r"(?:company|sponsor|sponser|party|firm)",
        r"(?:change|switch|transfer) (?:of|in|to) (?:the )?(?:sponsor\w*|ownership)|sponsor (?:changed|switched|"
        r"change)",
        r"(?:drug |pharma\w* |industry |company |manufacturer |commercial )(?:company |support |sponsor )?"
        r"(?:withdrew|withdrawn|withdrawal|decided|declined|pulled|discontinu\w+)(?: [\w'-]+){0,2}",
        r"(?:loss|lack|withdrawal|change|withdrew|withdrawn) (?:of |in )?(?:\w+ )?(?:sponsor\w*|support)",
        r"(?:change|shift) (?:of|in) (?:\w+ ){0,2}(?:strategy|strategies|focus|priorities|plans?|direction|interest)",
    ],
    "logistics_resources": [
        rf"(?:lack|shortage|unavailability|absence|insufficient|inadequate|limited|no|not|without) (?:of )?"
        rf"(?:{NEAR})?(?:available )?{SUPPLY}(?: (?:supply|supplies|availability|shortage))?",
        rf"{SUPPLY}(?: [\w'-]+){{0,4}}? (?:shortages?|unavailab\w+|not available|no longer available|not be available|"
        rf"availability|supply|expired|expir\w+|recall\w*|delay\w*|malfunction\w*|fail\w*|broke\w*|not supplied|"
        rf"discontinued|withdrawn|off the market|backorder\w*|interrupt\w*|defect\w*|problems?|issues?|limitations?)",
        rf"(?:unable|inability|difficult\w*|problems?|fail\w*|not|can ?not){GAP % 4}(?:obtain\w*|procur\w*|get|"
        rf"receive|"
        rf"supply\w*|secure|sourc\w*|provide\w*|purchase){NEAR}(?:\w+ )?{SUPPLY}",
        r"(?:drug|device|product|medication|imp|clinical|vaccine) (?:supply|supplies|supplier)(?: \w+)?",
        r"(?:recall\w*|out of stock|supply chain|manufacturing)(?: (?:issues?|problems?|delays?|of \w+))?",
        r"(?:lack|shortage|insufficient|limited|inadequate|no|reduced|change|loss) (?:of |in )?(?:\w+ ){0,2}?"
        r"(?:staff\w*|personnel|man-?power|human resources?|resources?|work ?force|time|capacity|infrastructure|space)"
        r"(?: (?:resources?|constraints?|and resources?))?",
        r"(?:staff\w*|personnel|manpower|human resources?|resources?|resourcing|time|capacity|workload|work load|space)"
        r" (?:shortages?|issues?|constraints?|restraints?|problems?|limitations?|unavailab\w+|restrictions?|limited|"
        r"not available|is limited|allocation|was limited)",
        r"(?:logistic\w*|operational|technical|practical|infrastructure|organi[sz]ational)"
        r"(?: (?:reasons?|issues?|problems?|difficult\w*|challenges?|constraints?|delays?|limitations?|"
        r"complications?))*",
    ],
    "study_design": [
        r"(?:(?:change|changes|changed|amend\w*|modif\w*|revis\w*|revision|issues?|problems?|flaw\w*|reconsider\w*|"
        r"error)[- ](?:of |in |to |with |the )*)(?:(?:study|trial|protocol|device|research|clinical|treatment) ?)*"
        r"(?:design|protocol|structure|methodology|formulation|device|plan)(?: (?:and|or) (?:protocol|design|device))?",
        r"(?:(?:study|trial|protocol|device|research|experimental) )*(?:design|protocol|methodology|formulation)"
        r"(?: [\w'-]+){0,3}? (?:chang\w+|amend\w*|modif\w*|revis\w*|revision\w*|issues?|problems?|flaw\w*|adjust\w*|"
        r"update\w*|"
        r"not adequate|inadequate|inappropriate|no longer \w+)(?: \w+)?",
        r"re-?design\w*|re-?writ\w+|restructur\w+|reformulat\w+|new formulation",
        r"(?:new|revised|different|updated|amended|modified) (?:study |trial |clinical )?(?:protocol|design)s?",
        r"(?:event|incidence|mortality) rates? (?:\w+ ){0,3}?(?:lower|higher|less|low) (?:than \w+)?",
        r"(?:change|changes|changed|advances?|evolution|new|updated|shift) (?:in |of |to )?(?:the )?(?:\w+ ){0,2}?"
        r"(?:standards? of care|standard of treatment|standard therapy|clinical practi[cs]es?|practi[cs]es?|"
        r"guidelines?|"
        r"recommend\w+|recommandations?|treatment landscape|treatment paradigm)",
        r"(?:standard of care|treatment landscape|guidelines?|clinical practice|practice) (?:has |have |was |were )*"
        r"(?:chang\w+|evolv\w+|updated)",
        r"sample size (?:calculation|estimat\w+|re-?calculat\w+)",
    ],
    "invalid_reason": [
        r"not (?:a |an )?(?:\w+ )?clinical (?:trial|study)(?: study)?|(?:no|non)[ -]?(?:longer )?interventional",
        r"(?:duplicat\w*|repeat\w*|double|erroneous\w*|mistaken\w*|wrong) (?:registr\w+|record|entry|study|submission)",
        r"(?:registered|entered|submitted|listed|recorded|registration) (?:\w+ )?(?:twice|in error|by mistake|by error|"
        r"in duplicate|erroneously)",
        r"(?:recruitment|enrollment|enrolment|accrual|inclusion) (?:was |is |has been |goal )?(?:complete\w*|fulfilled|"
        r"finished|full)",
        r"duplicat(?:e|ion)",
    ],
    "study_staff_moved": [
        rf"{PI}(?: [\w'-]+){{0,3}}? (?:left|leaving|leaves|leave|(?:moved|moving|move)(?! forward| ahead| on)|"
        rf"relocat\w+|retire\w*|retiring|depart\w*|"
        rf"no longer (?:at|with|employed|works?|working|part|available|affiliated|on)|resign\w*|quit|"
        rf"changed? (?:\w+ )?(?:institutions?|jobs?|positions?|sub ?specialt\w+|universit\w+|hospitals?|employ\w+)|"
        rf"transfer\w*|passed away|died|deceased|graduated|took (?:a|another)|accepted)(?: \w+)?",
        rf"(?:departure|relocation|retirement|resignation|death|loss|leaving|moving|transfer|change|turnover|absence|"
        rf"leave) (?:of |in )?(?:the |our |key )*{PI}",
        rf"{PI} (?:departure|relocation|retirement|turnover|change|transfer|leave)",
        r"(?:left|leaving|leave|departed|departing) (?:the |this |our )?(?:institution|university|hospital|institute|"
        r"center|centre|department|organi[sz]ation|company|facility)",
        r"staff turnover|change (?:of|in) (?:institution|staff|investigator)",
        r"(?:study|project|trial)(?: [\w'-]+){0,3} transfer\w* to (?:the )?(?:university|another institution|another "
        r"hospital|another site|a different institution)",
    ],
    "another_study": [
        r"(?:competi\w+|competition)(?: (?:with|from|by|for))?(?: [\w'-]+){0,2}? ?(?:studies|study|trials?|"
        r"protocols?)?",
        r"(?:another|other|similar|parallel|parent|previous|separate|pivotal|related|sister|core|larger|different|"
        r"new|newer|subsequent) (?:\w+ ){0,2}?(?:studies|study|trials?|projects?)",
        r"(?:results?|findings?|data|outcomes?|evidence) (?:of|from|in) (?:the |an |a )?(?:\w+[ -]){0,4}?"
        r"(?:studies|study|trials?|meta-?analysis)",
        rf"{CODE} (?:study |trial )?results? (?:show\w*|demonstrat\w*|indicat\w*|suggest\w*|confirm\w*)",
        rf"(?:study|trial) {CODE} results?|results? of (?:the )?{CODE}(?: study| trial)?",
        rf"(?:primary )?end ?points? of (?:the )?{CODE}(?: study| trial)?",
        r"meta-?analys\w+|metanalysis|superseded by|replaced (?:by|with)(?: [\w'-]+){0,3}|other groups|"
        r"published (?:data|results)",
    ],
    "safety_sideeffects": [
        r"(?:safety|tolerability|toxicit\w+|adverse|side)[ -]?(?:and \w+ )?(?:concerns?|issues?|reasons?|"
        r"signals?|findings?|"
        r"problems?|risks?|events?|effects?|reactions?|data|profile|considerations?|experiences?|"
        r"related)(?: reactions?)?",
        r"(?:increase\w*|high\w*|excess\w*|unexpected\w*|greater|elevat\w+|severe|serious|unacceptable) (?:\w+ ){0,3}?"
        r"(?:incidence|rate|rates|frequency|number|risk|occurrence|toxicit\w+|mortality|deaths?|bleeding|infections?|"
        r"complications?|adverse events?|aes?|saes?|side ?effects?|liver enzymes)(?: of (?:\w+ ?){1,3})?",
        r"benefits?[ /:-]*(?:to |and |versus |vs )?[ /:-]*risks?(?: \w+)?|risks?[ /:-]*(?:to |and |versus |vs )?[ /:-]*"
        r"benefits?(?: \w+)?",
        r"stopping rules? (?:for|due to|based on) (?:\w+ ){0,3}?(?:incidence|toxicit\w+|safety|events?|"
        r"mortality|deaths?|harm|"
        r"bleeding|infections?)(?: of (?:\w+ ?){1,2})?",
        r"toxicit\w+|(?:hepato|cardio|nephro|neuro)toxicit\w+|side ?effects?|intoleran\w+|saes?|susars?|harm(?:ful|s)?",
        r"(?:patient |unexpected |treatment-related )?deaths?|patient safety",
    ],
    "regulatory": [
        r"(?:the )?(?:us )?(?:fda|ema|mhra|bfarm|ansm|irb|reb|iec|ethics? committee|ethical committee|ethics|"
        r"ethical review|"
        r"review board|health canada|health authorit\w+|regulatory(?: authorit\w+| agenc\w+| body| bodies)?|competent "
        r"authorit\w+|authorit\w+|ministry of health)(?: (?:approval|decision|request\w*|feedback|"
        r"recommendation|issues?|"
        r"reasons?|requirements?|clinical hold|hold|concerns?|denied|disapprov\w+|requirements?))*",
        r"(?:no|not|without|lack of|denied|withdrawn|pending|awaiting|failed to (?:obtain|get|receive)|did not (?:get|"
        r"receive|obtain)|unable to (?:obtain|get|receive)) (?:\w+ ){0,3}?(?:approv\w+|authori[sz]\w+|clearance|"
        r"permission)",
        r"(?:approval|authori[sz]ation|permission)(?: [\w'-]+){0,3}? (?:not|never|denied|withdrawn|expired|"
        r"revoked|refused|"
        r"obsolete|lapsed|pending)(?: \w+)?",
        r"clinical hold|post-?marketing (?:commitment|requirement)|policy(?: changes?)?|legislation|disapproved|ind",
        r"irb (?:expired|closed|closure|disapproved|terminated|withdr\w+)",
    ],
    "negative": [
        r"(?:lack|absence|insufficient|limited|inadequate|poor|no|low|unlikely|failure|loss|without|"
        r"not enough) (?:of )?"
        r"(?:\w+ ){0,3}?(?:efficac\w+|effectiv\w+|effects?|benefits?|activity|response|responses|improvement|"
        r"differences?|superiority|success|promise)",
        r"(?:did(?: not|n[o']t)|fail\w* to|fails? to|does(?: not|n[o']t)|not|unable to|inability to|unlikely to|"
        r"failure to|has not|have not) (?:\w+ ){0,2}?(?:meet|met|show\w*|demonstrat\w*|reach\w*|achiev\w*|"
        r"reveal|be met|"
        r"improve\w*|find)"
        r"(?: \w+| \w+-\w+){0,5}? (?:efficac\w+|benefits?|(?:co-?)?(?:primary )?endpoints?|end ?points?|effect\w*|"
        r"superiority|significan\w+|improvement|activity|responses?|differences?|criteria|objectives?)",
        r"(?:primary |secondary |co-?)*(?:end ?points?|objectives?|efficacy criteria)(?: [\w'-]+){0,5}? (?:not|"
        r"never|unlikely "
        r"to be) (?:been |be )?(?:met|reached|achieved)",
        r"(?:pre-?\w+ )*futility(?: (?:analysis|criteria|boundary|reasons?))*|futile",
        r"ineffective\w*|inefficac\w+|not (?:be )?(?:effective|efficacious|superior|beneficial)|non-?effective",
        r"negative (?:\w+ )?(?:results?|outcomes?|findings?|analysis|data|trend)|(?:low|lower) (?:\w+ )?likelihood of "
        r"(?:\w+ )?success|unfavou?rable (?:results|outcome)",
    ],
    "interim_analysis": [
        r"(?:protocol[- ])?(?:pre-?)?(?:defined |specified )?stopping (?:rules?|criteria|criterion|"
        r"boundar\w+)(?: \w+){0,3}? "
        r"(?:met|reached|crossed)",
        r"(?:planned |pre-?\w+ )*interim (?:\w+ )?(?:analys[ei]s|results?|data|monitoring|review|look)",
    ],
    "endpoint_met": [
        r"(?:(?:study|trial|primary|main|all|research) )*(?:objectives?|end ?points?|aims?|goals?)(?: [\w'-]+){0,2}? "
        r"(?:has |have |had |was |were |is |been |could be )+(?:been )?(?:met|achieved|reached|accomplished|fulfilled)",
        r"(?:sufficient|enough|adequate) (?:\w+ )?(?:data|information|evidence|results?|power)(?: (?:was |were |"
        r"has |been )*"
        r"(?:collected|gathered|obtained|available))?",
        r"(?:met|achieved|reached|completed) (?:its |the |all |their )*(?:primary |study |main )*(?:objectives?|"
        r"endpoints?|"
        r"aims?|goals?)",
    ],
    "insufficient_data": [
        r"(?:insufficient|inadequate|lack of|no|unusable|missing|incomplete|poor|loss of|not enough) (?:usable |useful "
        r"|quality )*(?:data|information|follow-?up|data quality)",
        r"data (?:\w+ ){0,3}?(?:insufficient|unusable|incomplete|inadequate|lost|quality|not (?:usable|"
        r"sufficient)|errors?|"
        r"integrity)(?: \w+)?",
        r"errors? in (?:the )?(?:data|database|randomi[sz]ation)(?: management| collection| entry)?",
        r"quality of (?:the )?data",
        r"lost to follow[- ]?up|loss to follow[- ]?up",
    ],
    "ethical_reason": [
        r"unethical|not ethical\w*|ethical(?:ly)? (?:concerns?|reasons?|issues?|grounds?|considerations?|unacceptable|"
        r"questionable|problems?)|ethics (?:concerns?|reasons?)",
    ],
    "success": [
        r"(?:positive|overwhelming|superior|clear|early|proven|demonstrated|significant) (?:\w+ )?"
        r"(?:efficacy|benefits?|results?|superiority|success)",
        r"(?:efficacy|superiority|effectiveness) (?:was |has been |already |been )*(?:demonstrated|established|"
        r"proven|shown)",
    ],
}
