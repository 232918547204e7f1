"""``pullpass explain``: which entry answers for an image, and why."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import click

from pullpass.cli import complete
from pullpass.cli.table import table
from pullpass.config.load import load
from pullpass.reference import parse_reference
from pullpass.resolve import explain as resolve
from pullpass.resolve.explain import AgentView, Choice, Explanation

_WIDTH = 15  # characters of the first column


@click.command()
@click.argument("image", shell_complete=complete.images)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(image: str, *, as_json: bool) -> int:
    """Explain which entry answers for IMAGE, and why; nobody is asked anything.

    The exit status is that of a pull by repository: 0 if an entry answers.
    """
    reference = parse_reference(image)
    found = resolve.explain(load(), reference.registry, reference.repository)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        _show(found)
    return found.by_repository.exit_status


def _show(found: Explanation) -> None:
    _line("registry", f"{found.registry}, {found.configured or 'not configured'}")
    _line("repository", found.repository)
    if not found.agent:
        _line("answer", f"{found.by_host.why}; clients go on without a credential")
        return
    _line("provider", found.provider or "none")
    _line("audience", found.audience or "none")
    click.echo()
    table(("", "entry", "repository", "matches", "specificity", "identity"), _rows(found))
    click.echo()
    _line("by repository", _choice(found, found.by_repository))
    _line("", "crane, cosign, pullpass-cri, pullpass get")
    _line("by host", _choice(found, found.by_host))
    _line("", "docker, buildx, podman, skopeo, helm")
    _show_agent(found.agent)


def _rows(found: Explanation) -> Iterator[tuple[str, ...]]:
    for one in found.candidates:
        yield (
            "→" if one.entry == found.by_repository.entry else " ",
            _short(found, one.entry),
            one.repository,
            "yes" if one.matches else "no",
            str(one.specificity),
            one.identity,
        )


def _choice(found: Explanation, choice: Choice) -> str:
    return f"{_short(found, choice.entry)}: {choice.why}" if choice.entry else choice.why


def _short(found: Explanation, entry: str) -> str:
    return entry.removeprefix(f"{found.configured}.")


def _show_agent(agent: AgentView) -> None:
    if not agent.answers:
        _line("agent", "leaves it to whoever asks")
        return
    _line("agent", "answers where it has these settings")
    callers = ", ".join(agent.callers)
    also = f"; of these who are {', '.join(agent.allow)}" if agent.allow != agent.callers else ""
    _line("its callers", f"{callers}{also}")
    reuse = f"the same credential for {agent.reuse}s" if agent.reuse else "a fresh one each time"
    _line("what they get", reuse)


def _line(name: str, text: str) -> None:
    click.echo(f"{name:{_WIDTH}}{text}")
