"""Training runs: epochs, batches, the bars around them."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import Format, Memory, nothing, take
from miyabi.progress.found import Found, number, scale


def _begun(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    seen = take(name, found, memory)
    return seen and seen._replace(begun=True, phase=f"{found['label']} {found['n']}/{found['m']}")


def _bar(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    label = (found["label"] or "").strip(" :|")
    total = number(found["m"]) * scale(found["v"])
    if total <= 0:
        return None
    current = min(number(found["n"]) * scale(found["u"]), total)
    return Found(
        name, _whole(current), _whole(total), label=re.sub(r"\d+", "0", label), step=label or None, confidence=0.98
    )


def _whole(value: float) -> float:
    return int(value) if value == int(value) else round(value, 3)


def _both(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """Batch n of m in epoch k of K: (k - 1) m + n of K m."""
    epoch, epochs, batch, batches = (number(found[group]) for group in ("k", "e", "n", "m"))
    if not 0 < epoch <= epochs or not 0 <= batch <= batches or not batches:
        return None
    return Found(name, (epoch - 1) * batches + batch, epochs * batches, label=name, step=found[0][:200])


_STEPS = "steps"


def _announced(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """How many steps there will be, for the lines that tell only which one it is."""
    memory[_STEPS] = number(found["m"] or found["M"])
    return None


def _of_announced(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    total, step = memory.get(_STEPS), number(found["n"] or found["N"])
    if not total or step > total:
        return None
    return Found(name, step, total, label=name, confidence=0.8)


FORMATS = (
    Format(
        "steps announced",
        "GROMACS, detectron2 and others: how many steps there will be",
        (" steps, ", "MAX_ITER", "max_iter", "max_steps", "num_steps", "total_steps", "nsteps"),
        re.compile(
            r"(?:.{0,80}?[\s'\"{,(])?(?:MAX_ITER|max_iter(?:s|ations)?|max_steps|num_steps|total_steps|nsteps)['\"]?"
            r" {0,20}[:=] {0,4}(?P<m>[1-9]\d{1,11})\b|(?P<M>[1-9]\d{1,11}) steps, +[\d.]+ ps"
        ),
        (("  MAX_ITER: 3000", None, None, None), ("500000 steps,   1000.0 ps.", None, None, None)),
        _announced,
    ),
    Format(
        "step of those announced",
        "GROMACS, detectron2 and others: which step it is, of as many as were announced",
        ("step ", "iter: "),
        re.compile(
            r"step (?P<n>\d{1,12}),? +(?:will finish|remaining wall clock)|(?:.{0,120}?\s)?iter: (?P<N>\d{1,12})\s"
        ),
        (("step 12500, will finish Thu Nov  7 14:51:02 2024", None, None, None),),
        _of_announced,
    ),
    Format(
        "mmengine",
        "OpenMMLab: iterations of an epoch; how many epochs there are is not said",
        ("Epoch(train)",),
        re.compile(r".{0,120}?Epoch\(train\) +\[\d+\]\[ *(?P<n>\d+)/(?P<m>\d+)\]"),
        (("06/02 14:04:15 - mmengine - INFO - Epoch(train) [1][100/400]  lr: 1.9920e-03", 100, 400, 25),),
    ),
    Format(
        "mmengine validation",
        "OpenMMLab: validation between epochs",
        ("Epoch(val)", "Epoch(test)"),
        re.compile(r".{0,120}?Epoch\((?:val|test)\) +\[\d+\]"),
        (("06/02 14:06:41 - mmengine - INFO - Epoch(val) [1][ 50/120]    eta: 0:00:08", None, None, None),),
        nothing,
    ),
    Format(
        "epoch and batch",
        "training scripts: the epoch and the batch on one line",
        ("poch", "EPOCH"),
        re.compile(
            r".{0,60}?\b[Ee](?:poch|POCH):?\s*[\[(]?(?P<k>\d+)\s?/\s?(?P<e>\d+)[\])]?[\s,:|-]{1,4}"
            r"(?:[Ss]tep|[Bb]atch|[Ii]ter(?:ation)?):?\s*[\[(]?(?P<n>\d+)\s?/\s?(?P<m>\d+)"
        ),
        (("Epoch [3/10], Step [15/29], Loss: 0.5290", 73, 290, 25.2),),
        _both,
    ),
    Format(
        "ultralytics",
        "Ultralytics YOLO: the epoch of all, and the batch in tqdm's bar behind the losses",
        ("%|",),
        re.compile(r"\s{2,}(?P<k>\d+)/(?P<e>\d+)\s+[\d.]+[GM]\s.{0,200}?%\|[^|]*\| (?P<n>\d+)/(?P<m>\d+)"),
        (
            (
                "        4/9      2.15G     1.529      2.152         29        640:  50%|█████     | 4/8 [00:01<00:00]",
                28,
                72,
                38.9,
            ),
        ),
        _both,
    ),
    Format(
        "tqdm",
        "tqdm and what uses it: Hugging Face, Lightning, pandas, DVC",
        ("%|",),
        re.compile(
            r"(?P<label>[^|\n]{0,200}?)\s{0,4}\d{1,3}%\|[^|]*\| (?P<n>[\d.]+)(?P<u>[kMGTP]?)i?B?/"
            r"(?P<m>[\d.]+)(?P<v>[kMGTP]?)i?B? ?\["
        ),
        (
            (" 52%|█████▏    | 15/29 [00:05<00:05,  2.9it/s]", 15, 29, 51.7),
            ("Downloading model:  20%|██        | 6.00M/30.0M [00:00<00:02, 8.53MB/s]", 6000000, 30000000, 20),
        ),
        _bar,
    ),
    Format(
        "epoch",
        "Keras and many scripts: an epoch begins",
        ("poch",),
        re.compile(
            r"\s*(?:\W{0,3})(?P<label>Epoch|epoch|EPOCH):?\s*[\[(]?(?P<n>\d+)\s?(?:/|of)\s?(?P<m>\d+)[\])]?[:.]{0,3}\s*$"
        ),
        (("Epoch 2/4", 2, 4, None),),
        _begun,
    ),
    Format(
        "spark",
        "Spark's console bar: tasks of a stage",
        ("[Stage ",),
        re.compile(r"\[Stage \d+:[=> ]*\((?P<n>\d+) \+ \d+\) / (?P<m>\d+)\]"),
        (("[Stage 3:==============>            (15 + 4) / 29]", 15, 29, 51.7),),
    ),
    Format(
        "pytorch example",
        "PyTorch's ImageNet example and its descendants: batches of an epoch without a known number",
        ("poch: [",),
        re.compile(r"Epoch: \[\d+\]\s?\[\s*(?P<n>\d+)/(?P<m>\d+)\]"),
        (("Epoch: [3][ 150/2900]\tTime  0.215 ( 0.229)\tLoss 1.5290e+00 (1.6120e+00)", 150, 2900, 5.2),),
    ),
)
