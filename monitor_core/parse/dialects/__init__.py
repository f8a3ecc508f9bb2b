"""The table of dialects, in the order in which they are asked about a line; a new one is added here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor_core.parse.dialect import Dialect
from monitor_core.parse.dialects import (
    composer,
    deepspeed,
    detectron2,
    dllogger,
    fairseq,
    gpt_neox,
    hf_trainer,
    hugectr,
    keras,
    lightgbm,
    lightning,
    litgpt,
    llama_factory,
    llm_c,
    maskrcnn_benchmark,
    maxtext,
    megatron,
    metric_logger,
    mindspore,
    mllog,
    mmengine,
    modded_nanogpt,
    mxnet,
    nanochat,
    nanogpt,
    nemo,
    olmo,
    paddle,
    paddlenlp,
    plain,
    pytorch_examples,
    tensorflow,
    timm,
    torchtitan,
    tqdm,
    ultralytics,
    xgboost,
    yolox,
)

AUTO = "auto"
# The name of a built-in dialect, `auto` for all of them, or the dialects themselves.
Format = str | tuple[Dialect, ...]
_ALL = (
    gpt_neox.DIALECT,
    megatron.DIALECT,
    fairseq.DIALECT,
    mmengine.DIALECT,
    detectron2.DIALECT,
    yolox.DIALECT,
    ultralytics.DIALECT,
    maskrcnn_benchmark.DIALECT,
    metric_logger.DIALECT,
    timm.DIALECT,
    keras.DIALECT,
    tensorflow.DIALECT,
    nemo.DIALECT,
    lightning.DIALECT,
    hf_trainer.DIALECT,
    paddle.DIALECT,
    paddlenlp.DIALECT,
    mindspore.DIALECT,
    mxnet.DIALECT,
    hugectr.DIALECT,
    lightgbm.DIALECT,
    xgboost.DIALECT,
    llama_factory.DIALECT,
    torchtitan.DIALECT,
    olmo.DIALECT,
    modded_nanogpt.DIALECT,
    nanogpt.DIALECT,
    nanochat.DIALECT,
    llm_c.DIALECT,
    litgpt.DIALECT,
    maxtext.DIALECT,
    composer.DIALECT,
    pytorch_examples.DIALECT,
    deepspeed.DIALECT,
    dllogger.DIALECT,
    mllog.DIALECT,
    plain.DIALECT,
    tqdm.DIALECT,
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.name: dialect for dialect in _ALL})


def choose(format: Format) -> tuple[Dialect, ...]:
    """Return the dialects that a log may be in; raise ValueError with a sentence if there is none of that name."""
    if not isinstance(format, str):
        return format
    if format == AUTO:
        return tuple(DIALECTS.values())
    if format not in DIALECTS:
        raise ValueError(f"{format!r} is not a log format (known: {', '.join((AUTO, *DIALECTS))})")
    return (DIALECTS[format],)
