"""Log lines become facts: progress, markers of a phase, and lines that tell of an error.

`parser` walks through blocks of a log, `scan` finds the lines that may matter. Each framework has a file in `dialects`:
copy one to add another, and name it in the table there. `recognition` decides which is believed. `signatures` is the
catalogue of causes; `tracebacks` follows those of Python through interleaved output.
"""

from __future__ import annotations

from monitor_core.parse.dialects import AUTO, DIALECTS, Format
from monitor_core.parse.parser import Parser
from monitor_core.parse.signatures import SIGNATURES, Signature, describe

__all__ = ["AUTO", "DIALECTS", "SIGNATURES", "Format", "Parser", "Signature", "describe"]
