"""The compose file, the images, and the configuration of Caddy, Prometheus, Grafana and Railway are sound."""

import asyncio
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import deployment
import pytest
import yaml
from debian_tools import find_program
from promql import declared_metrics, unknown_names
from railway import railway_faults
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from battery_api.app.security_headers import SecurityHeadersMiddleware
from battery_api.settings import GatewaySettings
from battery_contracts.fleet import BATTERY_MODELS
from battery_ml.api.app import MlSettings
from battery_servicekit.secret_files import is_secret
from battery_servicekit.settings import ServiceSettings
from battery_sim.settings import SimulatorSettings
from battery_twin.api.app import TwinSettings
from battery_twin.circuit.parameter_set import ParameterSet

ROOT = Path(__file__).resolve().parents[3]
OPS = ROOT / "ops"
COMPOSE = (ROOT / "docker-compose.yml").read_text()
IGNORE = (ROOT / ".dockerignore").read_text()
DOCKERFILES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.glob("*/Dockerfile"))}
RAILWAY = [ROOT / "railway.toml", *sorted(ROOT.glob("*/railway.toml"))]
SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "backend/Dockerfile": GatewaySettings,
    "digital-twin/Dockerfile": TwinSettings,
    "ml-pipeline/Dockerfile": MlSettings,
    "sensor-simulator/Dockerfile": SimulatorSettings,
}
# Read by the interpreter, by Numba, by libraries.
PROCESS = {"PATH", "HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
KERNELS = {"NUMBA_CPU_NAME", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}
SOURCES = [path for path in ROOT.glob("*/src") if path.is_dir()] + [path / "src" for path in (ROOT / "libs").iterdir()]


def compose() -> dict[str, object]:
    return dict(deployment.read_compose(COMPOSE))


def settings_of(cls: type[ServiceSettings]) -> set[str]:
    names = {name.upper() for name in cls.model_fields}
    secrets = {name.upper() for name, field in cls.model_fields.items() if is_secret(field)}
    return names | {f"{name}_FILE" for name in secrets}


def known_variables() -> dict[str, set[str]]:
    caddy = set(re.findall(r"\{\$(\w+)", (OPS / "caddy" / "Caddyfile").read_text()))
    known: dict[str, set[str]] = {"frontend": caddy}
    for name, service in deployment.read_compose(COMPOSE)["services"].items():
        if "build" in service and name not in known:
            # A script of the compose file may read variables that the service itself does not know.
            own = set(re.findall(r"\$\$(\w+)", str(service.get("command", ""))))
            known[name] = own | settings_of(SETTINGS[service["build"]["dockerfile"]])
        elif "build" not in service:
            # Programs of others: each by the prefix that its manual gives.
            prefix = {"database": r"(POSTGRES|TIMESCALEDB|TS_TUNE)_\w+", "grafana": r"GF_[A-Z]+_\w+"}.get(name, "-")
            known[name] = {key for key in deployment.environment_of(service) if re.fullmatch(prefix, key)}
    return known


def make_secrets_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_secrets", OPS / "make_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(command: list[str | Path], cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [str(part) for part in command]
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), **environment}
    return subprocess.run(
        words, cwd=cwd, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=variables
    )


def compare_with_schema(path: Path, schema: str = "compose-spec") -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("check-jsonschema")
    return run([program, "--builtin-schema", f"vendor.{schema}", path])


@pytest.fixture(scope="session")
def promtool() -> Path:
    return find_program("promtool", "prometheus")


@pytest.fixture(scope="session")
def caddy() -> Path:
    return find_program("caddy", "caddy")


class TestAutomation:
    @pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
    def test_a_workflow_follows_the_schema_and_pins_its_actions(self, path: Path) -> None:
        done = compare_with_schema(path, "github-workflows")
        assert done.returncode == 0, done.stdout
        used = re.findall(r"uses: (\S+)", path.read_text())
        assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []

    def test_updates_follow_the_schema_and_reach_every_image(self) -> None:
        path = ROOT / ".github" / "dependabot.yml"
        done = compare_with_schema(path, "dependabot")
        assert done.returncode == 0, done.stdout
        updates = yaml.safe_load(path.read_text())["updates"]
        folders = {
            folder for entry in updates if entry["package-ecosystem"] == "docker" for folder in entry["directories"]
        }
        assert folders == {f"/{Path(name).parent}" for name in DOCKERFILES}
        assert "docker-compose" in {entry["package-ecosystem"] for entry in updates}


class TestCompose:
    def test_it_follows_the_schema(self) -> None:
        done = compare_with_schema(ROOT / "docker-compose.yml")
        assert done.returncode == 0, done.stdout

    def test_the_schema_finds_a_misspelt_key(self, tmp_path: Path) -> None:
        wrong = tmp_path / "docker-compose.yml"
        wrong.write_text(COMPOSE.replace("healthcheck: *probe", "healthchek: *probe", 1))
        done = compare_with_schema(wrong)
        assert done.returncode == 1
        assert "healthchek" in done.stdout

    def test_only_the_door_is_open(self) -> None:
        assert deployment.published_ports(compose()) == []

    def test_every_image_is_pinned(self) -> None:
        assert deployment.unpinned_images(compose(), DOCKERFILES) == []

    def test_every_secret_is_made_mounted_and_used(self) -> None:
        assert deployment.wrong_secrets(compose(), make_secrets_module().NAMES) == []

    def test_every_secret_that_is_made_is_mounted_somewhere(self) -> None:
        assert set(make_secrets_module().NAMES) == set(deployment.read_compose(COMPOSE)["secrets"])

    def test_everything_that_is_waited_for_can_happen(self) -> None:
        assert deployment.wrong_order(compose()) == []

    def test_every_service_is_restricted(self) -> None:
        assert deployment.soft_spots(compose()) == []

    def test_every_variable_is_a_setting(self) -> None:
        assert deployment.unknown_variables(compose(), known_variables()) == []

    def test_only_what_migrates_or_loads_has_the_owner_of_the_tables(self) -> None:
        services = deployment.read_compose(COMPOSE)["services"]
        owners = {name for name, service in services.items() if "database_owner_url" in service.get("secrets", ())}
        assert owners == {"migrate", "demo-load"}

    def test_the_demo_adds_its_circuit_and_keeps_one_that_is_there(self, tmp_path: Path) -> None:
        services = deployment.read_compose(COMPOSE)["services"]
        source = next(entry for entry in services["demo-circuits"]["volumes"] if entry.startswith("./"))
        shutil.copytree(ROOT / source.split(":")[0], tmp_path / "demo-circuits")
        circuits = tmp_path / "circuits"
        circuits.mkdir()
        command = [word.replace("/app", str(tmp_path)) for word in services["demo-circuits"]["command"]]
        assert run(command).returncode == 0
        (circuit,) = circuits.iterdir()
        assert circuit.stem in BATTERY_MODELS
        assert ParameterSet.from_json(circuit.read_text()).calibrated
        circuit.write_text("one's own")
        assert run(command).returncode == 0
        assert circuit.read_text() == "one's own"

    def test_the_twin_reads_the_circuits_and_cannot_change_them(self) -> None:
        twin = deployment.read_compose(COMPOSE)["services"]["twin"]
        assert twin["volumes"] == [f"circuits:{deployment.environment_of(twin)['PARAMETERS_DIR']}:ro"]

    def test_two_gateways_share_their_messages_behind_one_proxy(self) -> None:
        gateway = deployment.read_compose(COMPOSE)["services"]["gateway"]
        variables = deployment.environment_of(gateway)
        assert gateway["deploy"]["replicas"] == 2
        assert (variables["TRUSTED_PROXY_COUNT"], variables["COOKIE_SECURE"]) == ("1", "true")
        assert "REDIS_URL_FILE" in variables

    @pytest.mark.parametrize(
        ("right", "mistake", "expected"),
        [
            ("image: prom/prometheus:v3.7.3", "image: prom/prometheus", "prometheus: image prom/prometheus is not"),
            ("valkey/valkey:8.1.4-alpine", "valkey/valkey:latest", "valkey: image valkey/valkey:latest is not pinned"),
            (
                'networks: [services]\n    deploy: { resources: { limits: { cpus: "0.25"',
                'ports: ["9115:9115"]\n    networks: [services]\n    deploy: { resources: { limits: { cpus: "0.25"',
                "blackbox publishes",
            ),  # the text of the file
            ("secrets: [redis_password]\n", "secrets: []\n", "valkey reads redis_password and does not mount it"),
            ("secrets: [grafana_admin_password]", "secrets: [grafana_password]", "grafana mounts grafana_password"),
            ("  redis_url: { file", "  redis_address: { file", "secret redis_address is not made"),
            ("TWIN_URL: http", "TWIN_ADDRESS: http", "gateway does not know TWIN_ADDRESS"),
            ("GF_SERVER_ROOT_URL", "SERVER_ROOT_URL", "grafana does not know SERVER_ROOT_URL"),
            (
                "    profiles: [observe]\n    image: prom/prom",
                "    profiles: [demo]\n    image: prom/prom",
                "grafana needs prometheus, which profile observe",
            ),  # the text of the file
            ("    healthcheck: *probe\n    stop_grace", "    stop_grace", "frontend waits for the health of gateway"),
            ('  restart: "no"\n', "", "bootstrap waits for the end of migrate, which is restarted"),
            ("      twin: { condition", "      twins: { condition", "gateway waits for twins, which does not exist"),
            ("  read_only: true\n", "", "twin: its file system is writable"),
            ("  cap_drop: [ALL]\n", "", "ml: it keeps capabilities"),
            ("  services: { internal: true }", "  services: {}", "twin: it is on a network with a way out"),
            ("  models: {}\n", "", "volume models is not defined"),
            (", required: false }", " }", "twin needs demo-circuits, which profile core leaves out"),
        ],
    )
    def test_a_mistake_is_found(self, right: str, mistake: str, expected: str) -> None:
        assert right in COMPOSE
        wrong = deployment.read_compose(COMPOSE.replace(right, mistake))
        found = [
            *deployment.published_ports(wrong),
            *deployment.unpinned_images(wrong, {}),
            *deployment.wrong_secrets(wrong, make_secrets_module().NAMES),
            *deployment.wrong_order(wrong),
            *deployment.soft_spots(wrong),
            *deployment.unknown_variables(wrong, known_variables()),
        ]
        assert [line for line in found if line.startswith(expected)]


class TestImages:
    @pytest.mark.parametrize("name", DOCKERFILES)
    def test_hadolint_finds_nothing(self, name: str) -> None:
        done = run([Path(sys.executable).with_name("hadolint"), "--no-color", name])
        assert (done.returncode, done.stdout) == (0, "")

    def test_hadolint_finds_a_mistake(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp && apt-get install curl\n")
        done = run([Path(sys.executable).with_name("hadolint"), "--no-color", tmp_path / "Dockerfile"])
        assert done.returncode != 0
        assert "DL3006" in done.stdout

    def test_what_is_copied_exists_and_reaches_the_build(self) -> None:
        # Written by `make lock`, as every other lock.
        assert deployment.unavailable_copies(DOCKERFILES, IGNORE, ROOT) == []

    def test_a_path_that_does_not_exist_or_is_kept_out_is_found(self) -> None:
        text = "FROM python:3.12.1\nCOPY backend/nothing .\nCOPY --chown=1:1 README.md \\\n  backend/src /src/\n"
        assert deployment.unavailable_copies({"x": text}, IGNORE, ROOT) == [
            "x copies backend/nothing, which does not exist",
            "x copies README.md, which .dockerignore keeps out",
        ]

    @pytest.mark.parametrize("path", [".env", "secrets/jwt_secret_key", ".data/x", ".git/config", "backend/tests/x.py"])
    def test_secrets_and_rubbish_do_not_reach_the_build(self, path: str) -> None:
        assert deployment.is_ignored(path, IGNORE)

    @pytest.mark.parametrize("path", ["backend/src/battery_api/__pycache__/a.py", "ops/image/a.pyc"])
    def test_compiled_files_of_this_machine_do_not_either(self, path: str) -> None:
        assert deployment.is_ignored(path, IGNORE)

    @pytest.mark.parametrize("name", SETTINGS)
    def test_the_defaults_of_an_image_are_settings(self, name: str) -> None:
        runtime = DOCKERFILES[name].split(" AS runtime")[1].replace("\\\n", " ")
        (line,) = re.findall(r"^ENV (.*)$", runtime, re.MULTILINE)
        names = {word.split("=")[0] for word in line.split()}
        assert names - PROCESS - KERNELS <= settings_of(SETTINGS[name])
        # Code that was compiled for one name of a processor is not found under another.
        compiled = set(re.findall(r"NUMBA_CPU_NAME=(\w+)", DOCKERFILES[name]))
        assert len(compiled) == (1 if names >= KERNELS else 0)

    def test_a_volume_is_of_the_user_who_writes_to_it(self) -> None:
        # An engine gives a new volume the owner of the folder that the image has there.
        for name, service in deployment.read_compose(COMPOSE)["services"].items():
            volumes = [entry.split(":") for entry in service.get("volumes", ())] if "build" in service else []
            for source, target, *mode in volumes:
                if source.startswith(".") or "ro" in mode:
                    continue
                runtime = DOCKERFILES[service["build"]["dockerfile"]].split(" AS runtime")[1]
                assert re.search(rf"chown -R 10001:10001 [^\n]*{target}( |$)", runtime, re.MULTILINE), name

    @pytest.mark.parametrize("name", DOCKERFILES)
    def test_an_image_runs_as_nobody_in_particular_and_tells_its_health(self, name: str) -> None:
        runtime = DOCKERFILES[name].split(" AS runtime")[1]
        assert "\nUSER 10001:10001\n" in runtime
        assert "\nSTOPSIGNAL SIGTERM\n" in runtime
        assert "\nHEALTHCHECK " in runtime
        assert runtime.splitlines()[-1].startswith('CMD ["')


class TestCaddy:
    @pytest.mark.parametrize("address", ["localhost", ":8080", "batteries.example.com"])
    @pytest.mark.parametrize("option", ["", "tls internal"])
    def test_it_accepts_its_file(self, caddy: Path, tmp_path: Path, address: str, option: str) -> None:
        if address.startswith(":") and option:
            option = ""
        file = OPS / "caddy" / "Caddyfile"
        command: list[str | Path] = [caddy, "validate", "--adapter", "caddyfile", "--config", file]
        done = run(command, tmp_path, SITE_ADDRESS=address, TLS_OPTION=option)
        assert done.returncode == 0, done.stdout

    def test_it_refuses_a_misspelt_directive(self, caddy: Path, tmp_path: Path) -> None:
        (tmp_path / "Caddyfile").write_text((OPS / "caddy/Caddyfile").read_text().replace("lb_policy", "lb_polisy"))
        done = run([caddy, "validate", "--adapter", "caddyfile", "--config", "Caddyfile"], tmp_path)
        assert done.returncode != 0
        assert "lb_polisy" in done.stdout

    def test_pages_get_the_headers_that_the_gateway_gives_them(self) -> None:
        text = (OPS / "caddy" / "Caddyfile").read_text()
        sent: Message = {}

        async def page(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def take(message: Message) -> None:
            sent.update(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        asyncio.run(SecurityHeadersMiddleware(page)({"type": "http", "path": "/"}, receive, take))
        given = Headers(raw=sent["headers"])
        assert len(given) >= 4
        for name, value in given.items():
            quoted = f'"{value}"' if " " in value else value
            assert re.search(rf"^\t\t{name} {re.escape(quoted)}$", text, re.MULTILINE | re.IGNORECASE), name


class TestMonitoring:
    def test_promtool_accepts_the_configuration(self, promtool: Path, tmp_path: Path) -> None:
        # It asks whether the file of the token exists.
        folder = shutil.copytree(OPS / "prometheus", tmp_path / "prometheus")
        (tmp_path / "token").write_text("token")
        text = (folder / "prometheus.yml").read_text()
        (folder / "prometheus.yml").write_text(text.replace("/run/secrets/metrics_token", str(tmp_path / "token")))
        done = run([promtool, "check", "config", "prometheus.yml"], folder)
        assert done.returncode == 0, done.stdout
        assert "rules found" in done.stdout

    def test_alerts_are_raised_when_they_should_and_not_otherwise(self, promtool: Path) -> None:
        done = run([promtool, "test", "rules", "rules_test.yml"], OPS / "prometheus")
        assert done.returncode == 0, done.stdout

    def test_blackbox_accepts_its_file(self) -> None:
        program = find_program("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
        done = run([program, f"--config.file={OPS / 'blackbox/blackbox.yml'}", "--config.check"])
        assert done.returncode == 0, done.stdout

    def test_every_expression_uses_what_is_exposed(self) -> None:
        metrics = known_metrics()
        wrong = {where: unknown_names(text, metrics) for where, text in expressions().items()}
        assert len(wrong) > 40
        assert {where: names for where, names in wrong.items() if names} == {}

    @pytest.mark.parametrize(
        ("expression", "names"),
        [
            ("sum(rate(telemetry_row_total[5m]))", ["telemetry_row_total"]),
            ('sum by (result) (rate(telemetry_rows_total{outcome=~"a|b"}[5m])) > 0', ["label result"]),
            ('http_connections{cause="x"} and on(instance) up == 1', ["label cause"]),
            ("histogram_quantile(0.9, sum by (le) (rate(job_run_seconds[5m])))", ["job_run_seconds", "label le"]),
            ("(sum(up) or vector(0)) == 0", []),
        ],
    )
    def test_an_unknown_name_is_found(self, expression: str, names: list[str]) -> None:
        assert unknown_names(expression, known_metrics()) == names

    def test_what_is_scraped_is_a_service(self) -> None:
        loaded = yaml.safe_load((OPS / "prometheus" / "prometheus.yml").read_text())
        text = json.dumps(loaded["scrape_configs"])
        services = deployment.read_compose(COMPOSE)["services"]
        ports = {name: deployment.environment_of(service).get("PORT") for name, service in services.items()}
        targets = re.findall(r"(?:http://)?\b(gateway|twin|ml|simulator):(\d+)", text)
        targets += [
            (entry["names"][0], str(entry["port"]))
            for job in loaded["scrape_configs"]
            for entry in job.get("dns_sd_configs", [])
        ]  # one line per job
        assert {name for name, _ in targets} == {"gateway", "twin", "ml", "simulator"}
        assert [(name, port) for name, port in targets if ports[name] != port] == []

    def test_the_dashboard_asks_the_source_that_is_provisioned(self) -> None:
        sources = yaml.safe_load((OPS / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
        board = json.loads((OPS / "grafana/dashboards/platform.json").read_text())
        asked = {target["datasource"]["uid"] for panel in board["panels"] for target in panel["targets"]}
        assert asked == {source["uid"] for source in sources}
        numbers = [panel["id"] for panel in board["panels"]]
        assert len(numbers) == len(set(numbers))


@cache
def known_metrics() -> dict[str, frozenset[str]]:
    # Of every Python process on Linux, by the client library.
    process = {f"process_{name}": frozenset[str]() for name in ("resident_memory_bytes", "cpu_seconds_total")}
    return {**declared_metrics(SOURCES), **process}


def expressions() -> dict[str, str]:
    found = {}
    for path in sorted((OPS / "prometheus" / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            found.update({f"alert {rule['alert']}": rule["expr"] for rule in group["rules"]})
    for path in sorted((OPS / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            found.update({f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]})
    return found


class TestRailway:
    @pytest.mark.parametrize("path", RAILWAY, ids=lambda path: str(path.relative_to(ROOT)))
    def test_the_file_is_sound(self, path: Path) -> None:
        assert railway_faults(tomllib.loads(path.read_text()), ROOT) == []

    def test_every_image_has_one(self) -> None:
        images = {tomllib.loads(path.read_text())["build"]["dockerfilePath"] for path in RAILWAY}
        assert images == set(DOCKERFILES)

    @pytest.mark.parametrize(
        ("right", "mistake", "expected"),
        [
            ("healthcheckPath", "healthCheckPath", "deploy.healthCheckPath is not a field"),
            ("= 300", '= "300"', "deploy.healthcheckTimeout must be of type int"),
            ('"ON_FAILURE"', '"on-failure"', "deploy.restartPolicyType must be one of ALWAYS, NEVER, ON_FAILURE"),
            ("backend/Dockerfile", "gateway/Dockerfile", "build.dockerfilePath gateway/Dockerfile does not exist"),
            ("/libs/contracts/**", "/libs/contract/**", "build.watchPatterns: /libs/contract/** matches nothing"),
            ('  "/requirements/**",\n', "", "build.watchPatterns: no pattern matches requirements/api.txt"),
            ("[deploy]", "[deployment]", "deployment is not a section"),
        ],
    )
    def test_a_mistake_is_found(self, right: str, mistake: str, expected: str) -> None:
        text = (ROOT / "railway.toml").read_text()
        assert right in text
        assert expected in railway_faults(tomllib.loads(text.replace(right, mistake)), ROOT)
