"""The words around a number that make it a count of work done, and those that make it something else."""

from __future__ import annotations

import re

_NOUNS = (
    "step task stage phase part pass item file page chunk batch epoch iteration iter record row job test suite spec "
    "module package object layer image frame block sample example fold trial round section segment fragment target "
    "tuple tile document doc entry entries line table resource stack action crate commit delta event message url "
    "request download upload build pack patch pixel point scene slice band byte partition volume video "
    "track song photo tree estimator game level cell notebook query queries statement migration plan point simulation "
    "replicate generation particle checkpoint folder dir directory directories repo repository repositories project "
    "component asset route article story stories post device sector cluster inode "
    "scenario feature case check rule question sentence word sequence subject volume key keys blob layer "
    "artifact dependency dependencies requirement formula formulae gem plugin extension wheel snapshot increment op "
    "operation workflow process configuration config theme font icon locale language contig read gene "
    "chromosome structure model variant combination parameter set group work unit subtask todo deliverable"
).split()
_VERBS = (
    "progress process download upload copy copied copies done complete completion finish compil build built install "
    "fetch import export convert conver render train encod decod index scan check verif sync synchroniz push pull "
    "receiv resolv writ wrote written read load unpack extract pack archiv delet remov migrat appl updat upgrad creat "
    "generat analyz analys pars link test run running queue sent send transfer transferr mov restor back crawl "
    "evaluat infer predict comput solv simulat optimiz minif bundl transform emit publish deploy provision configur "
    "clean purg merg split sort hash sign encrypt decrypt compress decompress inflat deflat clon checkout counting "
    "enumerat total overall handl handled pass execut visit search match seed insert persist flush upsert translat "
    "transcod transcrib tokeniz embed label annotat collect gather measur calculat prepar start stage flash program "
    "eras burn record sampl warm fit cach prefetch replay reindex rebuild recover repair resync rewrit format ingest "
    "validat review lint format vacuum stream enqueu dump replicat join aggregat summariz synthesiz reticulat"
    " scrub flash verify brute crack"
).split()
_NOT = (
    r"usage|used|in use|memory|mem|cpu|gpu|ram|heap|swap|disk|space|battery|fan|temp(?:erature|s)?(?!-)|humidity|load|"
    r"utili[sz]ation|idle|coverage|covered|cover|stmts|branch(?:es)?|accuracy|acc|loss|score|rating|grade|confidence|probability|"
    r"similarity|ratio|rate|rates|quality|discount|off|interest|growth|threshold|limit|quota|full|capacity|percentile|"
    r"median|jitter|packet|cached?|hit|hits|miss|contiguous|faster|slower|smaller|larger|saved?|savings|compression|"
    r"attempts?|retry|retries|retrying|tries|try|rank|replicas?|shards?|worker|workers|thread|threads|pool|connections?|"
    r"vus|active|users|prefer|severity|version|supported|support|compat\w*|python|ruby|tls|hub|port|ports|ratio|"
    r"learning|learn|lr|select|quota|voltage|precision|recall|f1|auc|map|bleu|wer|margin|error rate|opacity|volume|"
    r"zoom|chance|likely|winning|votes?|cidr|subnet|mask|inet|route|via|dated?|due|until|expires?|aspect|resolution|"
    r"deflated|kept|peers?|betas?|rejects?|rejected|invalid|dropped|discarded|duplicates?|"
    r"ready|pass rate|success rate|tests? passed|score|health|uptime|availability|sla"
)
NOUN = "|".join(sorted(_NOUNS, key=len, reverse=True))
VERB = "|".join(sorted(_VERBS, key=len, reverse=True))

BEFORE = re.compile(
    rf"(?:^|[^a-z])(?:(?:{VERB})[a-z]*|(?:{NOUN})s?|no\.?|\#)[\s:.=\-|>\#(\[\]]{{0,12}}$"
    rf"|(?:^|[^a-z])(?:{VERB})[a-z]*:?\s+(?:[\w./-]+\s+)?(?:{NOUN})s?[\s:\#(\[]{{0,4}}$"
)
"""The end of what stands before a count: ``Processing item ``, ``Step ``, ``progress: ``. Lower case."""
DOING = re.compile(rf"(?:^|[^a-z])(?:{VERB})[a-z]*:?(?:\s+(?!\d+\b)[^\s%]{{1,40}})?[\s:.=\-|>\#(\[\]]{{0,12}}$")
"""The end of what stands before a percentage: ``progress: ``, ``Downloading model ``. Lower case."""
JUST = re.compile(rf"(?:^|[^a-z])(?:{VERB})(?:ed|d|en|t|n|ing)?[\s:]{{1,3}}$")
"""The end of what stands before a share of something: ``Transferred `` 45 % of the data. Lower case."""
AFTER = re.compile(
    r"[\s\])-]{0,3}(?:new |more |total |unique )?"
    rf"(?!running)(?:(?:{NOUN})s?\b(?! (?:per|an?)\b)|(?:{VERB})(?:ed|d|en|t|n|ing)?\b)"
)
"""The beginning of what stands behind a count: `` files``, `` steps (52%) done``. Lower case."""
NOT = re.compile(rf"(?:^|[^a-z])(?:{_NOT})(?![a-z0-9])")
"""Words near a count that make it a measure or a share. Lower case."""
NEVER = re.compile(
    r"coverage|contiguous|\busage\b|battery|packet loss|\bsmart\b|temperature|\bbitmap: "
    r"|\"(?:get|head|post|put|patch|delete|options) \S"
    r"|(?:^|\s)[\w/.\-]{1,200}\.(?:go|py|js|jsx|ts|tsx|rs|rb|c|cc|cpp|h|hpp|java|kt|swift|cs|hs|exs?):\d+:\s"
    r"|^\s*(?:\d+\)|\* test) "
    r"|\b(?:hardening index|score) ?:|p-value|% in \d+\.\d{3,} secs?\b|^\s*\d+ {2,}\S+ .*% +(?:passed|failed)\b"
    r"|\b(?:log (?:start|end) point|lsn)\b|^\s*\d{1,3}%\s+\d+(?:\.\d+)?(?: ?ms)?(?: \(longest request\))?\s*$"
)
"""Words that make every number on the line a measure. Lower case."""
TALLY = re.compile(r"\s?(?:\w+ )?(?:passed|failed|passing|failing|skipped|ok|succeeded)\b")
"""Behind a count: how something came out, not how far it is."""
DONE = re.compile(
    r"[\s\])]{0,2}(?:complete|completed|done|finished|processed|downloaded|uploaded|transferred|copied|"
    r"written|loaded|built|ready|scanned|indexed|imported|exported|installed|extracted|remaining|executing|"
    r"analy[sz]ed|checked|verified|rendered|encoded|converted|parsed|synced|migrated|restored|compiled|fetched|"
    r"received|sent|read|archived|deployed|applied|cloned|resolved|updated|removed|deleted|moved|validated)\b"
)
PACE = re.compile(r"\beta\b|\d\s?[kmgt]?i?b(?:ytes|its)?/s|\bit/s|\bs/it|\bremaining\b|time left|\belapsed\b|/sec\b")
"""An estimate or a rate on the same line. Lower case."""
