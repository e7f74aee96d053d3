"""Every example of the pages that are meant to be followed works as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import pages

ROOT = Path(__file__).parents[1]
PAGES = ["docs/testing.md"]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_a_page(name: str, tmp_path: Path) -> None:
    page = pages.with_free_ports((ROOT / name).read_text(encoding="utf-8"))
    for file, text in pages.files(page).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    with pages.shell(tmp_path) as shell:
        for commands in pages.blocks(page):
            for command in commands:
                if command.stays:
                    shell.begin(command.text)
            run = [command for command in commands if not command.stays]
            printed = shell.run([command.text for command in run])
            for command, said in zip(run, printed, strict=True):
                line = pages.missing(command.expected, said)
                assert line is None, f"$ {command.text}\n{said}\ndoes not say: {line}"


def test_what_is_missing_is_found() -> None:
    printed = "12:30:00  Charge  failed\nSUCCEEDED in 1.5s\n"
    assert pages.missing(["01:02:03  Charge  failed", "SUCCEEDED in 20ms"], printed) is None
    assert pages.missing(["… failed"], printed) is None
    assert pages.missing(["SUCCEEDED in 1s", "12:30:00  Charge  failed"], printed) == "12:30:00  Charge  failed"
    assert pages.missing(["FAILED in 1s"], printed) == "FAILED in 1s"


def test_a_page_is_taken_apart() -> None:
    page = "`a.yaml`:\n\n```yaml\nx: 1\n```\n\n```console\n$ one \\\n    more\nprinted\n$ stays &\n```\n"
    assert pages.files(page) == {"a.yaml": "x: 1\n"}
    one, stays = pages.blocks(page)[0]
    assert (one.text, one.expected, one.stays) == ("one \\\n    more", ["printed"], False)
    assert stays.stays
