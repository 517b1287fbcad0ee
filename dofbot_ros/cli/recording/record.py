"""`dofbot record` and `dofbot export`: episodes of a running arm, and what learning needs of them."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.table import Table

from dofbot_ros.cli.options.checks import finite
from dofbot_ros.core.console import console, live_region, warn
from dofbot_ros.errors import DofbotError, InputError, UsageError

if TYPE_CHECKING:
    from dofbot_ros.ros.clients.recorder import Arrival, RecordNode

REFRESH_S = 0.25
FIND_S = 5.0
ENDINGS = {"keep": None, "success": True, "failure": False}
DISCARD = "discard"
SHARED = ("diagnostics",)
"""Topics that every node publishes."""


def record(
    *,
    out: Annotated[Path, typer.Option(help="Folder of the episodes.")],
    label: Annotated[str, typer.Option(help="What is done; part of the file name.")] = "",
    operator: Annotated[str, typer.Option(help="Who does it.")] = "",
    topics: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="Record this in place of the usual topics; may be repeated."),
    ] = None,
    image_hz: Annotated[
        float, typer.Option(callback=finite, min=0.1, help="At most so many camera images a second.")
    ] = 10.0,
    seconds: Annotated[
        float | None, typer.Option(callback=finite, min=0.0, help="End after so long; otherwise Ctrl-C ends it.")
    ] = None,
    keep: Annotated[
        bool | None,
        typer.Option("--keep/--discard", help="What becomes of the episode. Otherwise you are asked, at a terminal."),
    ] = None,
    success: Annotated[
        bool | None, typer.Option("--success/--failure", help="Keep it, and note whether it went well.")
    ] = None,
    namespace: Annotated[str, typer.Option(help="Of the arm.")] = "",
) -> None:
    """Record an episode of a running arm (`dofbot up ...`) as one MCAP file; prints its path when it is kept.

    Whatever happens to this program, all but the last second can be read. Ctrl-C ends the episode. A topic that
    comes from several publishers is told.
    """
    from dofbot_ros.record import require_mcap

    require_mcap()
    from dofbot_ros.record.episode import EpisodeWriter
    from dofbot_ros.record.metadata import EpisodeInfo, Outcome
    from dofbot_ros.record.topics import chosen_topics
    from dofbot_ros.ros.clients.recorder import RecordNode

    namespace = namespace.strip("/")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    try:
        with RecordNode(chosen_topics(topics or [], image_hz), namespace) as node:
            node.wait_for_publishers(FIND_S)
            config = {"arm": node.arm_parameters(), "image_hz": image_hz}
            writer = EpisodeWriter(out, EpisodeInfo(time.time(), label, operator, namespace, config))
            begun = time.monotonic()
            try:  # from the first message on, Ctrl-C ends the episode as it is asked to be ended
                try:
                    node.start(writer.write, writer.note)
                except DofbotError:
                    writer.discard()
                    raise
                _tell_doubles(node)
                _show_until_the_end(node, writer.path, seconds)
            except KeyboardInterrupt:
                console.print("the episode has ended")
            finally:
                publishers = node.publishers()
                node.close()
                duration_s = time.monotonic() - begun
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    ending = _ending(keep, success)
    if ending == DISCARD:
        writer.discard()
        console.print(f"discarded {writer.path}", highlight=False, soft_wrap=True, markup=False)
        return
    writer.finish(Outcome(ENDINGS[ending], duration_s))
    for step in writer.clock_steps:
        warn(f"{step} while recording: arrivals are stamped evenly, stamps inside messages jump")
    counts = ", ".join(
        f"{(name := topic.removeprefix(f'/{namespace}').strip('/'))} {n}{_from(publishers.get(name, []))}"
        for topic, n in writer.counts.items()
    )
    console.print(f"kept {duration_s:.1f} s: {counts or 'no message at all'}", highlight=False, markup=False)
    sys.stdout.write(f"{writer.path}\n")


def _tell_doubles(node: RecordNode) -> None:
    """Say which topics come from several nodes: two arms, or two cameras, in one episode."""
    for topic, nodes in node.publishers().items():
        if len(nodes) > 1 and topic not in SHARED:
            warn(f"{topic} comes from {len(nodes)} publishers: {', '.join(nodes)}")


def _from(nodes: list[str]) -> str:
    return f" from {len(nodes)} publishers" if len(nodes) > 1 else ""


def export(
    episode: Annotated[
        Path, typer.Argument(help="Episode (MCAP file); with --lerobot also a folder of them.", show_default=False)
    ],
    out: Annotated[
        Path,
        typer.Argument(help="File to write (.npz); --lerobot, --bag: a folder that is not there.", show_default=False),
    ],
    *,
    images: Annotated[
        bool | None,
        typer.Option(
            "--images/--no-images",
            help="Camera images too: in a .npz they are decoded, and large. With --lerobot they belong to it.",
            show_default="only with --lerobot",
        ),
    ] = None,
    bag: Annotated[bool, typer.Option("--bag", help="A folder for `ros2 bag`, with metadata.yaml.")] = False,
    lerobot: Annotated[bool, typer.Option("--lerobot", help="A LeRobot dataset (v3.0): Parquet and video.")] = False,
    task: Annotated[str, typer.Option(help="LeRobot: what the episodes show, in words.")] = "",
    fps: Annotated[int, typer.Option(help="LeRobot: rows a second; 25 is what policies here run at.", min=1)] = 25,
) -> None:
    """Write episodes as numpy arrays, as a LeRobot dataset, or as a bag of rosbag2.

    For example: dofbot export episodes/ picks --lerobot --task "pick up the red block"
    """
    from dofbot_ros.record import require_mcap

    require_mcap()
    if bag and (lerobot or images is not None):
        raise UsageError("a bag holds the episode as it is: leave out --lerobot and --images")
    if bag:
        from dofbot_ros.record.rosbag import export_bag

        topics = export_bag(episode, out)
        text = f"wrote {out}: {sum(topics.values())} messages on {len(topics)} topics"
        console.print(text, highlight=False, soft_wrap=True, markup=False)
        return
    if lerobot:
        _export_lerobot(episode, out, task, fps, images is not False)
        return
    from dofbot_ros.record.export import export_npz

    if episode.is_dir():
        raise InputError(f"{episode} is a folder: a .npz holds one episode, a LeRobot dataset (--lerobot) many")
    shapes = export_npz(episode, out, bool(images), warn)
    text = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items())
    console.print(f"wrote {out}: {text}", highlight=False, soft_wrap=True, markup=False)


def _export_lerobot(source: Path, out: Path, task: str, fps: int, images: bool) -> None:
    from rich.progress import Progress

    from dofbot_ros.record.lerobot.dataset import require_lerobot
    from dofbot_ros.record.lerobot.export import episodes_in, export_lerobot

    require_lerobot()
    if not task.strip():
        raise UsageError('a LeRobot dataset says in words what its episodes show: --task "pick up the red block"')
    paths = episodes_in(source)
    with live_region(), Progress(console=console, transient=True) as progress:
        bar = progress.add_task("episodes", total=len(paths))
        exported = export_lerobot(
            paths, out, task.strip(), fps, images=images, damaged=warn, done=lambda: progress.advance(bar)
        )
    for words in exported.skipped:
        warn(f"left out: {words}")
    age = f", pictures at most {1e3 * exported.oldest_picture_s:.0f} ms old" if images else ""
    text = f"wrote {out}: {exported.episodes} episodes, {exported.rows} rows of {1e3 / fps:.0f} ms{age}"
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def _show_until_the_end(node: RecordNode, path: Path, seconds: float | None) -> None:
    begun = time.monotonic()
    with live_region(), Live(console=console, auto_refresh=False, transient=True) as live:
        while seconds is None or time.monotonic() - begun < seconds:
            time.sleep(REFRESH_S if seconds is None else min(REFRESH_S, seconds))
            live.update(_table(node.arrivals(), path, time.monotonic() - begun), refresh=console.is_terminal)


def _table(arrivals: dict[str, Arrival], path: Path, seconds: float) -> Table:
    table = Table(title=f"recording {path}: {seconds:.0f} s (Ctrl-C ends it)", title_justify="left")
    for heading, justify in (("topic", "left"), ("messages", "right"), ("1/s", "right"), ("age, s", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for name, arrival in arrivals.items():
        table.add_row(name, str(arrival.count), f"{arrival.rate_hz:.1f}", f"{arrival.age_s:.1f}")
    return table


def _ending(keep: bool | None, success: bool | None) -> str:
    """One of ENDINGS, or DISCARD."""
    if keep is False:
        return DISCARD
    if success is not None:
        return "success" if success else "failure"
    if keep or not sys.stdin.isatty():
        return "keep"
    try:
        while True:
            console.print("keep it, as a [b]success[/b] or a [b]failure[/b], or [b]discard[/b] it?", end=" ")
            answer = (input().strip().lower() or "keep").split()[0]
            for choice in (*ENDINGS, DISCARD):
                if choice.startswith(answer):
                    return choice
    except (KeyboardInterrupt, EOFError):
        return "keep"
