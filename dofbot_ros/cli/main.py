"""`dofbot`: the one entry point. Expected errors are one line, without a traceback.

The modules of this package import nothing heavy at their top: what a command needs is imported when it runs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape
from typer.main import get_command

from dofbot_ros import __version__
from dofbot_ros.cli import arm, bench, calibrate, demo, emulate, localize, teleop, trials, up
from dofbot_ros.cli.analysis import commands as analyze
from dofbot_ros.cli.grasp import commands as grasp
from dofbot_ros.cli.lab import imitate, imitate_arm
from dofbot_ros.cli.options.examples import add_examples, keep_brackets
from dofbot_ros.cli.page.console import console as console_page
from dofbot_ros.cli.policy import commands as policy
from dofbot_ros.cli.recording import record, replay, teach
from dofbot_ros.cli.setup import arm_check, doctor, servos
from dofbot_ros.core.console import console
from dofbot_ros.errors import DofbotError, UsageError
from dofbot_ros.extras import missing_package

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(analyze.app, name="analyze")
arm.app.command("check")(arm_check.check)
app.add_typer(arm.app, name="arm")
app.add_typer(bench.app, name="bench")
app.command("estop")(arm.estop)
app.add_typer(calibrate.app, name="calibrate")
app.add_typer(grasp.app, name="grasp")
imitate.app.command("arm")(imitate_arm.drive_arm)
app.add_typer(imitate.app, name="imitate")
app.add_typer(policy.app, name="policy")
app.add_typer(trials.app, name="trials")
app.command("console")(console_page)
app.command("demo")(demo.demo)
app.command("emulate")(emulate.emulate)
app.command("localize")(localize.localize)
app.command("export")(record.export)
app.command("record")(record.record)
app.command("replay")(replay.replay)
app.add_typer(teach.app, name="teach")
app.command("teleop")(teleop.teleop)
app.add_typer(servos.app, name="servos")
app.command("doctor")(doctor.doctor)
app.command("find-port")(servos.find_port)
app.command("up")(up.up)


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


@app.command("help")
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
    """All commands, made once a process: that takes longer than most of them say what is wrong with their words."""
    command = get_command(app)
    add_examples(command)
    keep_brackets(command)
    return command


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
