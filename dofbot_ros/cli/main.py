"""`dofbot`: the one entry point. Expected errors are one line, without a traceback.

A command's module is imported when the command is called, or when the help lists all. The modules of this package
import nothing heavy at their top: what a command needs is imported when it runs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, cast

import typer
from rich.markup import escape
from typer.main import get_command

from dofbot_ros import __version__
from dofbot_ros.cli.options.examples import add_examples, commands, keep_brackets
from dofbot_ros.cli.options.late_group import late_group
from dofbot_ros.core.console import console
from dofbot_ros.errors import DofbotError, UsageError
from dofbot_ros.extras import missing_package

CLI = "dofbot_ros.cli"
PLACES = {
    "estop": f"{CLI}.arm:estop",
    "console": f"{CLI}.page.console:console",
    "demo": f"{CLI}.demo:demo",
    "emulate": f"{CLI}.emulate:emulate",
    "localize": f"{CLI}.localize:localize",
    "export": f"{CLI}.recording.record:export",
    "record": f"{CLI}.recording.record:record",
    "replay": f"{CLI}.recording.replay:replay",
    "teleop": f"{CLI}.teleop:teleop",
    "doctor": f"{CLI}.setup.doctor:doctor",
    "find-port": f"{CLI}.setup.servos:find_port",
    "up": f"{CLI}.up:up",
    "help": f"{CLI}.main:show_help",
    "analyze": f"{CLI}.analysis.commands:app",
    "arm": f"{CLI}.arm:app",
    "arm check": f"{CLI}.setup.arm_check:check",
    "bench": f"{CLI}.bench:app",
    "calibrate": f"{CLI}.calibrate:app",
    "grasp": f"{CLI}.grasp.commands:app",
    "imitate": f"{CLI}.lab.imitate:app",
    "imitate arm": f"{CLI}.lab.imitate_arm:drive_arm",
    "policy": f"{CLI}.policy.commands:app",
    "trials": f"{CLI}.trials:app",
    "teach": f"{CLI}.recording.teach:app",
    "servos": f"{CLI}.setup.servos:app",
}
"""The words that call a command -> its module and function, or a group's Typer there, in the order of the help."""

app = typer.Typer(
    cls=late_group(PLACES),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Control stack for the Yahboom DofBot: a real, an emulated or a simulated arm behind one interface."""


def show_help(
    words: Annotated[list[str] | None, typer.Argument(metavar="COMMAND...", help="Of which; none: all of it.")] = None,
) -> None:
    """Show the help of a command."""
    run([*(words or []), "--help"])


def run(words: list[str] | None = None) -> None:
    """Run the command line, whose help ends with examples.

    Args:
        words: behind `dofbot`; this process's own when None.
    """
    command_line()(words, prog_name="dofbot")


@functools.cache
def command_line() -> Callable[..., Any]:
    """All commands; each is made once a process, when it is called: to make all takes longer than most of them do."""
    root: Any = get_command(app)
    _finish("", root)

    def finish_all_below(name: str, command: Any) -> None:
        for path, each in commands(command, name):
            _finish(path, each)

    root.commands.finish(finish_all_below)
    return cast("Callable[..., Any]", root)


def _finish(path: str, command: Any) -> None:
    add_examples(path, command)
    keep_brackets(command)


def main() -> None:
    """Run the command line: exit code 0 done, 1 expected error, 2 wrong usage, 130 interrupted."""
    try:
        run()
    except UsageError as error:
        _complain(str(error), 2)
    except DofbotError as error:
        _complain(str(error))
    except ModuleNotFoundError as error:
        missing = missing_package(error, "this command")
        if missing is None:
            raise
        _complain(str(missing))
    except OSError as error:
        # A file or folder that cannot be used; without a name it is a fault of ours, and worth its traceback.
        if error.filename is None:
            raise
        _complain(f"{error.filename}: {error.strerror}")


def _complain(message: str, code: int = 1) -> NoReturn:
    console.print(f"[red]dofbot:[/red] {escape(' '.join(message.split()))}", soft_wrap=True, highlight=False)
    sys.exit(code)
