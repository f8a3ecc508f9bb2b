from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.redact import REDACTED, redact

HEX40 = "0123456789abcdef0123456789abcdef01234567"
PEM_LINE = "MIIEowIBAAKCAQEAx4UbaDzY9xX7cUCmQ3ZrV0J1L2p9sTq8vW5eRtYuIoPaSdFg"

# Each line with its secret between two marks, which are taken out before the test.
LEAKS = [
    "login with «hf_abcdefghijklmnopqrstuvwxyzABCDEFGH»",
    "slack: «xoxb-123456789012-abcdefABCDEF» and «xapp-1-A012-3456-abcdef»",
    "POST https://hooks.slack.com/services/«T000/B000/XXXXXXXX»",
    "aws id «AKIAIOSFODNN7EXAMPLE»",
    "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
    "remote: «ghp_abcdefghijklmnopqrstuvwxyz0123456789»",
    "remote: «github_pat_11ABCDEFG0abcdefghijklmnop»",
    "remote: «glpat-abcdefghijklmnopqrst»",
    "openai «sk-proj-Abcdefghijklmnop0123456789»",
    "nim «nvapi-abcdefghijklmnopqrstuvwx»",
    "maps «AIzaSyA-abcdefghijklmnopqrstuvwxyz01234»",
    "jwt «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghij» sent",
    f"wandb: logging in with key {'«'}{HEX40}{'»'}",
    f"+ wandb login --relogin {'«'}{HEX40}{'»'}",
    "wandb key «wandb_v1_abcdefghijklmnopqrstuvwx»",
    f"WANDB_API_KEY={'«'}{HEX40}{'»'}",
    "wandb_api_key ................................... «short-key»",
    "postgresql://bob:«hunter2»@db.example.com/x",
    "postgresql://bob:«hunt@er:2»@db.example.com/x",
    "redis://:«hunter2»@127.0.0.1:6379/0",
    "git clone https://«abcdefghij0123456789»@git.example.com/x.git",
    "Authorization: Bearer «abc.def-123»",
    "{'Authorization': 'Basic «dXNlcjpwYXNz»'}",
    "authorization=«opaque»",
    "curl: sent bearer «abcd1234efgh5678»",
    "password=«123456»",
    "PASSWORD: «x»",
    '{"password": "«two words»", "user": "bob"}',
    r'payload "{\"password\": \"«hunter2»\"}"',
    "db_passwd='«hunter2»'",
    "client_secret=«abc»&next=1",
    "HF_TOKEN=«abcdefgh»",
    "slack_bot_token: «abcdefgh»",
    "token=«abcd1234efgh»",
    '"token": "«abcd1234efgh»"',
    "GET /x?token=«abc»&retry=3",
    "GET https://bucket.example.com/shard?X-Amz-Signature=«abc»&part=2",
    "GET /shard?sig=«abc%2Bdef%3D» HTTP/1.1",
    "train.py --wandb-key «abcd1234» --lr 3",
    "train.py --api_token «abcd1234»",
    "sshpass -p «hunter2» ssh bob@gpu-07",
    f"{'«'}-----BEGIN RSA PRIVATE KEY-----\n{PEM_LINE}\n-----END RSA PRIVATE KEY-----{'»'} end",
    f"{'«'}-----BEGIN OPENSSH PRIVATE KEY-----\n{PEM_LINE}{'»'}",
    f"[rank0]: {'«'}{PEM_LINE}{'»'}",
]

HARMLESS = [
    " iteration 100/ 200 | consumed tokens: 32768 | tokens per gpu per second (tgs): 135.0 | token: 4096",
    " iteration 12400/50000 | elapsed time per iteration (ms): 408.1 | lm loss: 2.314012E+00 | grad norm: 1.034",
    "[2026-11-24 09:52:35.123456] iteration 7/10 | learning rate: 1.500000E-05 | loss scale: 1.0",
    "time per token: 0.5231ms | token: 1.50000e-05 | token: 12,288",
    "eos token: <|endoftext|> | pad_token = </s> | unk_token: '<unk>'",
    "tokenizer_type .................................. GPT2BPETokenizer",
    "tokenizer_model ................................. /data/models/llama-2-7b/tokenizer.model",
    "wandb_api_key ................................... None",
    "use_password: False, api_key=None",
    f"git commit {HEX40} (HEAD -> main)",
    f"wandb: git commit {HEX40}",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "successfully saved checkpoint at iteration 12000 to /data/ckpt/sk-my-experiment-with-a-long-name",
    "loading /data/hf_models/model_hf_converted20240101checkpointForTraining",
    "https://example.com:8080/path?epoch=3&step=7 and s3://bucket/shard-0812.tar",
    "PWD=/home/bob/work USER=bob MASTER_ADDR=192.0.2.1",
    "cat: /etc/passwd: Permission denied",
    "Permission denied (publickey,password).",
    "monitor: 192.0.2.7:29500@eth0 bearer of bad news",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has 79.1 GiB",
    "KeyError: 'api_key'",
    "[rank5]:[E1124 09:57:51] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7, OpType=ALLREDUCE)",
    "train.py --key-length 128 --tokens 4096 --max-token 131072",
]


@pytest.mark.parametrize("marked", LEAKS)
def test_a_secret_goes_and_what_stands_around_it_stays(marked):
    parts = marked.replace("»", "«").split("«")
    assert len(parts) > 1
    expected = "".join(REDACTED if place % 2 else part for place, part in enumerate(parts))
    assert redact(marked.replace("«", "").replace("»", "")) == expected


@pytest.mark.parametrize("line", HARMLESS)
def test_an_ordinary_line_is_left_alone(line):
    assert redact(line) == line


def test_several_secrets_of_one_text_all_go():
    assert redact("password=abc\nAuthorization: Bearer xyz1\npassword=def") == (
        f"password={REDACTED}\nAuthorization: Bearer {REDACTED}\npassword={REDACTED}"
    )


@pytest.mark.parametrize("marked", LEAKS)
def test_what_was_redacted_stays_as_it_is(marked):
    once = redact(marked.replace("«", "").replace("»", ""))
    assert redact(once) == once


@given(st.text())
def test_any_text_can_be_redacted(text):
    assert isinstance(redact(text), str)


@given(st.floats(), st.integers(min_value=0))
def test_numbers_are_no_secrets(loss, iteration):
    line = f"iteration {iteration}/{iteration} | lm loss: {loss:E} | token: {iteration} | time per token: {loss}"
    assert redact(line) == line
