"""The command `relink`."""

import asyncio
import enum
import shutil
import signal
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import uvloop

from relink.data_folder import DataFolder, FolderInUse, NotOurs
from relink.embedded import PostgresFailed
from relink.failures import PartFailed
from relink.kafka_jars import KafkaFailed
from relink.ports import PortInUse
from relink.remote import Refused, Remote
from shared import telemetry

if TYPE_CHECKING:
    from relink.running import Running

CANNOT_GO_ON = (FolderInUse, NotOurs, PortInUse, PostgresFailed, KafkaFailed, PartFailed)
STOPS = (signal.SIGINT, signal.SIGTERM)

app = typer.Typer(
    help="The link between return systems of member states and reintegration services of countries of origin.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
parked_app = typer.Typer(help="Events that a service could not apply: list, redrive, discard.", no_args_is_help=True)
app.add_typer(parked_app, name="parked")
main = app
topics = typer.Typer(help="Make and check the topics on the Kafka that RELINK_KAFKA names.", no_args_is_help=True)
app.add_typer(topics, name="topics")

Data = Annotated[Path, typer.Option(envvar="RELINK_DATA", help="The folder that keeps everything.")]
Named = Annotated[str, typer.Argument(metavar="SERVICE", help="The service, configured by the environment.")]
Origin = Annotated[str, typer.Option(envvar="RELINK_ORIGIN", help="Where Relink answers.")]


class Format(enum.StrEnum):
    """What `relink import` reads."""

    threew = "threew"
    areas = "areas"


@app.command()
def run(port: Annotated[int, typer.Option(min=1, max=65535)] = 8000, data: Data = Path(".relink")) -> None:
    """Serve all of Relink on 127.0.0.1, with demo data, until Ctrl-C."""
    from relink import demo_data
    from relink.demo_issuer import CLIENTS
    from relink.partner import StepFailed
    from relink.system import running_system

    async def serve() -> None:
        async with running_system(folder.path, port) as system:
            await demo_data.enter(system)
            typer.echo(f"Relink answers at {system.origin}\n")
            for name in system.runtimes:
                typer.echo(f"  {system.origin}/{name}/docs")
            typer.echo("\nDemo clients, each with the rights of its part:\n")
            for client in CLIENTS.values():
                typer.echo(f"  {client.client_id:18} {client.part}")
            typer.echo(
                "\nA token, good for ten minutes:\n\n"
                f"  curl -s -d grant_type=client_credentials -d client_id=be-return {system.origin}/dev/token\n\n"
                f"Data and logs are in {folder.path}. Ctrl-C stops everything."
            )
            await system.until_it_fails()

    folder = DataFolder(data)
    try:
        stopped = _until_stopped(serve(), folder)
    except StepFailed as error:
        _fail(f"The demo data could not be entered: {error}\nThe log is in {folder.path}")
    if stopped:
        typer.echo("Relink has stopped; its data stay.")


@app.command()
def demo(
    kafka: Annotated[
        bool, typer.Option("--kafka", help="On eight processes, linked by a Kafka that it starts.")
    ] = False,
) -> None:
    """Play one referral there and back on a system of its own, tell it step by step, and leave nothing behind."""
    from relink import story

    async def play() -> None:
        async with _running_for_demo(folder.path, kafka) as running:
            await running.unless_it_fails(story.play(running))

    folder = DataFolder(Path(tempfile.mkdtemp(prefix="relink-")))
    if kafka:
        typer.echo("Starting PostgreSQL, Kafka and eight processes …", err=True)
    try:
        stopped = _until_stopped(play(), folder)
    except story.StoryBroken as error:
        _fail(f"{error}\nThe data and the logs of this demo stay in {folder.path}")
    shutil.rmtree(folder.path)
    if stopped:
        _fail("The demo was stopped.")


def _running_for_demo(folder: Path, kafka: bool) -> "AbstractAsyncContextManager[Running]":
    if kafka:
        from relink.deployment import running_deployment

        return running_deployment(folder)
    from relink.system import running_system

    return running_system(folder, port=0)


@app.command()
def gateway(
    host: Annotated[str, typer.Option(envvar="RELINK_GATEWAY_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="RELINK_GATEWAY_PORT", min=1, max=65535)] = 8000,
    origin: Origin = "http://127.0.0.1:8000",
    local: Annotated[bool, typer.Option("--local", help="Offer /dev/token and /dev/clock; loopback only.")] = False,
) -> None:
    """Serve the APIs of all services under one address; each is found by RELINK_<SERVICE>_URL, else on this machine."""
    from relink.local_mode import NotLoopback
    from relink.standalone import NotLocal, serve

    telemetry.log_as_json()
    try:
        _until_signal(serve(host, port, origin, local))
    except (*CANNOT_GO_ON, NotLoopback, NotLocal) as error:
        _fail(str(error))


@app.command()
def reset(
    data: Data = Path(".relink"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Empty the data folder: everything that `relink run` has kept is gone."""
    folder = DataFolder(data)
    if not folder.path.exists():
        typer.echo(f"There is nothing in {folder.path}")
        return
    if not yes:
        typer.confirm(f"Delete everything that Relink keeps in {folder.path}?", abort=True)
    try:
        folder.empty()
    except FolderInUse as error:
        _fail(f"{error}: stop it first.")
    except NotOurs as error:
        _fail(str(error))
    typer.echo(f"{folder.path} is gone.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    format: Annotated[Format, typer.Option(help="What the file is.")],  # noqa: A002  # the option is named so
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    mapping: Annotated[Path | None, typer.Option(exists=True, help="Which column holds what (JSON).")] = None,
    origin: Origin = "http://127.0.0.1:8000",
) -> None:
    """Read a file into the registry of a running Relink; say what changed, and what could not be used."""
    try:
        with Remote(origin, "registry-manager") as remote:
            report = remote.import_file(file, format.value, dry_run=dry_run, mapping=mapping)
    except Refused as error:
        _fail(str(error))
    for line in report.lines():
        typer.echo(line)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def token(client: str, origin: Origin = "http://127.0.0.1:8000") -> None:
    """Print an access token of a demo client of a running Relink."""
    try:
        with Remote(origin, client) as remote:
            typer.echo(remote.token())
    except Refused as error:
        _fail(str(error))


@app.command()
def rebuild(service: str, projection: str) -> None:
    """Fill a projection anew from the bus, beside the one that answers, and let it take its place."""
    from relink import rebuild as command

    command.rebuild(service, projection)


@app.command()
def republish(
    service: str,
    since: Annotated[str | None, typer.Option("--from", help="Said at or after this time (ISO 8601).")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Said before this time.")] = None,
) -> None:
    """Publish again what a service has said, where only rebuilds read it."""
    from relink import rebuild as command

    command.republish(service, since, until)


@topics.command()
def create() -> None:
    """Make the topics that are not there, as configured; those that are stay as they are, and are checked."""
    from relink.topics import create

    _report(create)


@topics.command()
def check() -> None:
    """Say what is wrong with the topics, a sentence each, and what to do about it."""
    from relink.topics import check

    _report(check)


def _report(look: Callable[[], list[str]]) -> None:
    """Say what it found, and fail if that is anything."""
    if faults := look():
        _fail("\n".join(faults))
    typer.echo("All topics are as configured.")


@parked_app.command("list")
def list_parked(service: Named) -> None:
    """Show what is parked, key by key, and whether the brake is on. Never what the events say."""
    from relink import parked

    parked.show(service)


@parked_app.command("redrive")
def redrive_parked(
    service: Named,
    number: Annotated[int | None, typer.Argument(min=1, help="The number that `list` shows.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All keys, those of projections first.")] = False,
) -> None:
    """Apply a key's events again, in order, up to the first that fails; 1 when something is left."""
    from relink import parked

    if (number is None) != every:
        raise typer.BadParameter("name one number, or --all")
    if not parked.redrive_keys(service, number):
        raise typer.Exit(1)


@parked_app.command("discard")
def discard_parked(
    service: Named,
    number: Annotated[int, typer.Argument(min=1, help="The number that `list` shows.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept, so it names nobody.")],
    by: Annotated[str | None, typer.Option(help="Who does it; whoever is logged in, if not said.")] = None,
    whole_key: Annotated[bool, typer.Option("--whole-key", help="Also all that wait behind the event.")] = False,
) -> None:
    """Give up a key's first event, or all of them; who, when, why and which events stays on record."""
    from relink import parked

    if not (reason := reason.strip()):
        raise typer.BadParameter("say why", param_hint="--reason")
    parked.discard(service, number, reason, by, whole_key)


@app.command()
def doctor(
    services: Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="All four, if none.")] = None,
) -> None:
    """Check configuration, databases, bus, clock and queues of services, and say what to do; 1 when one fails."""
    from relink import doctor

    if not doctor.examine(services or []):
        raise typer.Exit(1)


def _until_stopped(work: Coroutine[Any, Any, None], folder: DataFolder) -> bool:
    """Run `work`, its log in the folder; True when a signal ended it."""
    try:
        opened = folder.open_log()
    except OSError as error:
        work.close()
        _fail(f"The data folder cannot be used: {error.strerror}: {folder.path}")
    with opened as log:
        telemetry.log_as_json(stream=log)
        try:
            return _until_signal(work)
        except CANNOT_GO_ON as error:
            _fail(str(error))


def _until_signal(work: Coroutine[Any, Any, None]) -> bool:
    """Run `work`; True when a signal ended it. It cleans up, however many signals follow."""
    stopped = False

    async def guarded() -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            nonlocal stopped
            if not stopped and task is not None:
                stopped = True
                task.cancel()

        for number in STOPS:
            loop.add_signal_handler(number, stop)
        try:
            await work
        except asyncio.CancelledError:
            if not stopped:
                raise

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(guarded())
    return stopped


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
