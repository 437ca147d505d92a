"""The files of a deployment name nothing that the code does not know, and hold no secret."""

import re
import xml.etree.ElementTree as ET
from importlib.metadata import version
from urllib.parse import urlsplit

import pytest
import typer

from relink import cli, databases
from relink.services import SERVICES
from shared.settings import Settings
from tests.support import compose
from tests.support.compose import ASKED, CONTAINERS, ROOT

NAMES = [service.name for service in SERVICES]
PROCESSES = {f"{name}-{kind}": (name, kind) for name in NAMES for kind in ("api", "worker")}
BY_NAME = {service.name: service for service in SERVICES}
SECRET = re.compile(r"(PASSWORD|KEY_ENCRYPTION_KEY|DATABASE_URL|KEYS_URL)$")


def test_there_is_a_container_for_each_process_and_for_what_they_need() -> None:
    assert compose.SERVICES.keys() == PROCESSES.keys() | {"postgres", "kafka", "migrate", "gateway"}
    assert PROCESSES.keys() | {"migrate", "gateway"} == CONTAINERS


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_every_variable_is_one_the_code_reads(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields} | {"GATEWAY_HOST", "GATEWAY_PORT"}
    prefix = re.compile(rf"^RELINK_(?:(?:{'|'.join(NAMES)})_)?".upper())
    unknown = {each for each in compose.SERVICES[name]["environment"] if prefix.sub("", each) not in known}
    assert unknown == set()


@pytest.mark.parametrize(("container", "process"), PROCESSES.items())
def test_a_process_is_started_by_its_command_and_told_what_concerns_it_alone(
    container: str, process: tuple[str, str]
) -> None:
    name, kind = process
    described = compose.SERVICES[container]
    assert described["command"] == ["python", "-m", f"services.{name}", kind]
    mine = {"DATABASE_URL"} | ({"KEYS_URL", "KEY_ENCRYPTION_KEY"} if BY_NAME[name].keeps_keys else set())
    mine |= {"METRICS_PORT"} if kind == "worker" else set()
    told = described["environment"]
    for other in NAMES:
        own = {
            each.removeprefix(f"RELINK_{other.upper()}_")
            for each in told
            if each.startswith(f"RELINK_{other.upper()}_")
        }
        assert own == (mine if other == name else set())
    assert (told["RELINK_BUS"], told["RELINK_KAFKA"]) == ("kafka", "kafka:9092")


def test_addresses_of_databases_name_the_role_and_database_of_the_service() -> None:
    told = compose.SERVICES["migrate"]["environment"]
    for service in SERVICES:
        wanted = {"DATABASE_URL": databases.role_of(service)}
        if service.keeps_keys:
            wanted["KEYS_URL"] = databases.keys_of(service)
        for variable, database in wanted.items():
            url = urlsplit(ASKED.sub("secret", told[f"RELINK_{service.name.upper()}_{variable}"]))
            assert (url.scheme, url.username, url.path) == ("postgresql", databases.role_of(service), f"/{database}")
            assert (url.hostname, url.port) == ("postgres", 5432)


def test_the_gateway_and_the_probes_go_to_the_ports_where_services_listen() -> None:
    told = compose.SERVICES["gateway"]["environment"]
    for service in SERVICES:
        assert told[f"RELINK_{service.name.upper()}_URL"] == f"http://{service.name}-api:{service.port}"
        probe = compose.SERVICES[f"{service.name}-api"]["healthcheck"]["test"][-1]
        assert f"'http://127.0.0.1:{service.port}/{service.name}/readyz'" in probe
        worker = compose.SERVICES[f"{service.name}-worker"]
        port = worker["environment"][f"RELINK_{service.name.upper()}_METRICS_PORT"]
        assert f"'http://127.0.0.1:{port}/livez'" in worker["healthcheck"]["test"][-1]
    default = {each.name: each.default for each in typer.main.get_command(cli.app).commands["gateway"].params}  # type: ignore[attr-defined]
    assert compose.SERVICES["gateway"]["command"] == ["python", "-m", "relink", "gateway"]
    assert compose.SERVICES["gateway"]["ports"] == [f"127.0.0.1:8000:{default['port']}"]
    assert default["local"] is False


def test_what_waits_for_another_waits_until_it_is_there() -> None:
    for container in PROCESSES:
        assert compose.SERVICES[container]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    for waited_for in ("postgres", "kafka"):
        assert compose.SERVICES["migrate"]["depends_on"][waited_for] == {"condition": "service_healthy"}
        assert "healthcheck" in compose.SERVICES[waited_for]


def test_no_secret_stands_in_the_files_and_every_value_asked_for_is_explained() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(ASKED.findall(text)) == compose.example().keys()
    assert text.count("${") == len(ASKED.findall(text))
    for service in compose.SERVICES.values():
        for variable, value in service["environment"].items():
            assert not SECRET.search(variable) or ASKED.search(str(value)), variable
    assert not any(value for variable, value in compose.example().items() if SECRET.search(variable))
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/.env", "/issuers.json"} <= set(ignored)


def test_everything_is_pinned() -> None:
    images = {service["image"] for service in compose.SERVICES.values()} | {
        words[0] for words in compose.instructions("FROM")
    }
    for image in images:
        assert re.search(r":\d+(\.\d+)+(-[a-z-]+)?$", image), image
    pom = ET.parse(ROOT / "deploy" / "kafka" / "pom.xml")  # noqa: S314  # our own file
    assert compose.SERVICES["kafka"]["image"] == f"apache/kafka:{pom.findtext('{*}properties/{*}kafka.version')}"
    assert {service["image"] for name, service in compose.SERVICES.items() if name in CONTAINERS} == {
        f"relink:{version('relink')}"
    }


def test_the_image_needs_what_the_lock_of_everything_holds_and_no_tool_of_ours() -> None:
    def pinned(path: str) -> dict[str, str]:
        return dict(re.findall(r"^(\S+)==(\S+)", (ROOT / path).read_text(), re.MULTILINE))

    image, everything = pinned("deploy/requirements.lock"), pinned("requirements.lock")
    assert image.items() <= everything.items()
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & image.keys()
    project = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert project is not None
    assert set(re.findall(r'"([\w-]+)', project[1])) <= image.keys()


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody() -> None:
    for words in compose.instructions("COPY"):
        if words[0].startswith("--from"):
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
    assert compose.instructions("USER") == [["10001:10001"]]


def test_the_scripts_know_every_service() -> None:
    migrate = (ROOT / "deploy" / "migrate.sh").read_text()
    assert f"for service in {' '.join(NAMES)}; do" in migrate
    init = (ROOT / "deploy" / "postgres" / "init.sh").read_text()
    roles = {databases.role_of(service) for service in SERVICES}
    assert set(re.findall(r"^role (\w+)", init, re.MULTILINE)) == roles
    asked = set(re.findall(r"^role \w+ (\w+)$", init, re.MULTILINE))
    assert asked == compose.SERVICES["postgres"]["environment"].keys() - {"POSTGRES_PASSWORD"}
