"""Takes secrets out of log text before it is stored or sent.

The forms that leak are named one by one: a measure of randomness would flag git hashes and ordinary training lines.
Each rule needs time in proportion to the text, which may be a line of a megabyte. Before it stand the words, in lower
case, of which one must be there for the rule to be tried: ordinary lines hold none of them.
"""

from __future__ import annotations

import re

REDACTED = "[redacted]"
# What may stand between the name of a secret and its value: `=`, `:`, JSON quotes, the dots of an argument dump.
_GIVES = r"""(?: \\?["']?\s*[=:]\s*\\?["']? | \s+\.{3,}+\s* )"""
_VALUE = r"""(?! (?:true|false|none|null)\b ) (?P<secret> (?<=") [^"\\]+ | (?<=') [^'\\]+ | [^\s"'&,;|\\]+ )"""
_SAFE_WORD = r"[\w.~+/=-]"
_NUMBER_AND_UNIT = r"[\d.,e+-]+ [a-z%/]* (?:\s|$)"
_LETTER_AND_DIGIT = rf"(?= {_SAFE_WORD}{{0,200}}[a-z] ) (?= {_SAFE_WORD}{{0,200}}\d )"
_TOKENS = "access|api|app|auth|bot|github|gitlab|hf|hub|id|refresh|secret|session|slack"

_SPELT = (  # recognised by themselves, case as written
    ("hf_", r"(?<![\w/-]) hf_[A-Za-z0-9]{30,}"),  # Hugging Face
    ("xox xapp", r"xox[abeprs]-[A-Za-z0-9-]{8,} | xapp-[A-Za-z0-9-]{8,}"),  # Slack
    ("hooks.slack.com", r"(?<=hooks\.slack\.com/services/) [\w/]+"),
    ("akia asia", r"(?<![A-Z0-9]) (?:AKIA|ASIA)[A-Z0-9]{16} (?![A-Z0-9])"),  # AWS
    (
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"(?<!\w) (?: gh[pousr]_[A-Za-z0-9]{20,} | github_pat_\w{20,} )",
    ),  # GitHub
    ("glpat-", r"(?<!\w) glpat-[\w-]{16,}"),  # GitLab
    ("sk-", r"(?<![\w-]) sk- (?=[\w-]{0,200}[A-Z]) (?=[\w-]{0,200}\d) [\w-]{20,}"),  # OpenAI and kin
    ("nvapi-", r"(?<!\w) nvapi-[\w-]{20,}"),  # NVIDIA
    ("aiza", r"(?<!\w) AIza[\w-]{35}"),  # Google
    ("wandb_v", r"(?<!\w) wandb_v\d+_\w{20,}"),  # Weights & Biases
    ("eyj", r"(?<!\w) eyJ[\w-]{8,} \. [\w-]{8,} \. [\w-]{4,}"),  # JSON web token
    (
        "-----begin",
        r"(?s: -----BEGIN[ A-Z]{0,40}PRIVATE\ KEY----- .*? (?: -----END[ A-Z]{0,40}PRIVATE\ KEY----- | \Z ) )",
    ),
    # A line of such a block that came alone: base64 in both cases with digits, exactly 64 wide. Hashes have one case.
    (
        "",
        (
            r"(?<![\w+/]) (?=[^A-Z\s]{0,63}[A-Z]) (?=[^a-z\s]{0,63}[a-z]) (?=[^\d\s]{0,63}\d)"
            r" [A-Za-z0-9+/]{64} (?![\w+/=])"
        ),
    ),
)
_NAMED = (  # recognised by what stands before them, in any case
    ("://", r"://[^\s:/@]*: (?P<secret> [^\s/]+ ) @"),
    ("://", r":// (?P<secret> [^\s/@:]{20,} ) @"),
    ("wandb", r"wandb [^\n]{0,60}? (?:key|login) [^\n]{0,20}? (?<![0-9a-f]) (?P<secret> [0-9a-f]{40} ) (?![0-9a-f])"),
    ("authorization", rf"authorization {_GIVES} (?: (?:bearer|basic|token)\s+ )? {_VALUE}"),
    ("bearer", rf"(?<!\w) bearer \s+ (?P<secret> {_LETTER_AND_DIGIT} {_SAFE_WORD}{{8,}} )"),
    ("pass secret credential", rf"(?<!/) (?: password | passwd | passphrase | secret | credential ) {_GIVES} {_VALUE}"),
    ("key", rf"(?: secret | private | access | api | account | encryption ) [_-]? key {_GIVES} {_VALUE}"),
    ("token", rf"(?: {_TOKENS} ) [_-]? token {_GIVES} {_VALUE}"),
    (
        "--",
        r"(?<!-) -- [\w-]{0,40} (?: password|passphrase|secret|key|token ) \s+ (?P<secret> (?=\S*\d) [^\s-]\S{7,} )",
    ),
    ("sshpass", r"sshpass \s+ -p \s* (?P<secret> \S+ )"),
    (
        "? &",
        r"[?&] (?: key|sig|token|signature|x-amz-(?:signature|credential|security-token) ) = (?P<secret> [^\s&\"']+ )",
    ),
    # A bare "token" is mostly a word of the trade: "token: 4096", "token: 0.52ms", "eos token: <|endoftext|>".
    (
        "token",
        rf"(?<![\w-]) token {_GIVES} (?! {_NUMBER_AND_UNIT} ) (?P<secret> {_LETTER_AND_DIGIT} {_SAFE_WORD}{{8,}} )",
    ),
)
_RULES = (
    *((hints.split(), re.compile(f"(?P<secret> {rule} )", re.VERBOSE)) for hints, rule in _SPELT),
    *((hints.split(), re.compile(rule, re.VERBOSE | re.IGNORECASE)) for hints, rule in _NAMED),
)


def redact(text: str) -> str:
    """Return the text with everything that looks like a secret replaced by `[redacted]`."""
    lower = text.casefold()
    for hints, rule in _RULES:
        if not hints or any(hint in lower for hint in hints):
            text = rule.sub(_mask, text)
    return text


def _mask(match: re.Match[str]) -> str:
    start, end = (place - match.start() for place in match.span("secret"))
    return match[0][:start] + REDACTED + match[0][end:]
