"""`pstar completion`: what a shell needs to complete commands and options by the tab key."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg


def completion_of(commands: Mapping[str, Callable[..., Any]]) -> Callable[..., None]:
    """The verb, which completes ``commands``: read when it is run."""

    def completion(
        shell: Annotated[
            Positional[Literal["bash", "zsh", "fish"]], arg(help="The shell that you type in: echo $SHELL.")
        ],
    ) -> None:
        """Print what my shell needs to complete pstar's commands and options by the tab key.

        For bash: pstar completion bash > ~/.local/share/bash-completion/completions/pstar. For zsh: into a file _pstar
        in a folder of $fpath. For fish: into ~/.config/fish/completions/pstar.fish. Then open a new shell.
        """
        import tyro

        tyro.extras.subcommand_cli_from_dict(dict(commands), prog="pstar", args=["--tyro-print-completion", shell])

    return completion
