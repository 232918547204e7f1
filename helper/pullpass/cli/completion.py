"""``pullpass completion``: the script by which a shell completes what is typed."""

from typing import Final

import click
from click.shell_completion import get_completion_class

PROGRAM: Final = "pullpass"
VARIABLE: Final = "_PULLPASS_COMPLETE"

# click's own script takes the words as bash splits them: a registry's port would be a word of its
# own. Readline replaces what follows the last colon alone, so what stands before it is left out.
_BASH: Final = f"""\
_pullpass_completion() {{
    local line=${{COMP_LINE:0:COMP_POINT}} word='' kept='' type value
    local -a words
    local -i at
    read -ra words <<< "$line"
    at=${{#words[@]}}
    if [[ $line != *[[:space:]] ]]; then
        at+=-1
        word=${{words[at]#--*=}}
    fi
    [[ $COMP_WORDBREAKS == *:* ]] && kept=${{word%"${{word##*:}}"}}
    while IFS=, read -r type value; do
        case $type in
            plain) COMPREPLY+=("${{value#"$kept"}}") ;;
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
        esac
        [[ $value == */ ]] && compopt -o nospace
    done < <(env COMP_WORDS="$line" COMP_CWORD="$at" {VARIABLE}=bash_complete "$1" 2>/dev/null)
}}
complete -F _pullpass_completion {PROGRAM}
"""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that completes commands and the names of the configuration.

    \b
    bash: source <(pullpass completion bash)
    zsh:  source <(pullpass completion zsh), after compinit
    fish: pullpass completion fish | source
    """  # noqa: D301 - click's own mark for lines that stay as they are
    click.echo(_script(shell))


def _script(shell: str) -> str:
    if shell == "bash":
        return _BASH
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this release of click knows no {shell}")
    return found(click.Command(PROGRAM), {}, PROGRAM, VARIABLE).source()
