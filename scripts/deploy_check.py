"""Looks over deploy/ without a cluster: see scripts/deploy_check.sh. Says every fault and ends with 1 when there is one."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

HERE = Path(__file__).resolve().parent.parent
KUBERNETES = HERE / "deploy/kubernetes"
OVERLAYS = ["small", "production"]
VERSIONS = ["1.31", "1.37"]
# Most that `systemd-analyze security` may find, of 10.0.
EXPOSURE_MAX = 1.5
# Seconds that requests in flight have after a stop (crates/api, `GRACE`).
GRACE_S = 10

faults = []


def hold(what, is_so):
    if not is_so:
        faults.append(what)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def render(overlay):
    folder = KUBERNETES / "overlays" / overlay
    done = run(os.environ["KUBECTL"], "kustomize", folder)
    if done.returncode != 0:
        sys.exit(f"{overlay}: {done.stderr}")
    return done.stdout


def pods_of(documents):
    for document in documents:
        if document["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield document, document["spec"]["template"]


def containers_of(pod):
    yield from pod["spec"]["containers"]
    yield from pod["spec"].get("initContainers", [])


def environment_of(container, documents):
    maps = {d["metadata"]["name"]: d["data"] for d in documents if d["kind"] == "ConfigMap"}
    found = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            found |= maps[source["configMapRef"]["name"]]
    return found


def check_schemas(overlay, documents):
    for document in documents:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except Exception as error:  # noqa: BLE001
                faults.append(f"{overlay}: {document['kind']}/{document['metadata']['name']} against {version}: {error}")


def check_rules(texts):
    checkov = Path(sys.executable).with_name("checkov")
    with tempfile.TemporaryDirectory() as folder:
        for overlay, text in texts.items():
            Path(folder, f"{overlay}.yaml").write_text(text)
        done = run(checkov, "--framework", "kubernetes", "--compact", "-o", "json", "-d", folder)
        try:
            found = json.loads(done.stdout)
        except ValueError:
            sys.exit(f"checkov: {done.stdout}{done.stderr}")
        # It knows such a file by one name only.
        copy = Path(shutil.copy(HERE / "deploy/Containerfile", Path(folder, "Dockerfile")))
        found_in_file = run(checkov, "--framework", "dockerfile", "--compact", "-o", "json", "-f", copy)
    for report in (found, json.loads(found_in_file.stdout)):
        results = report["results"]
        hold("checkov looked at nothing", report["summary"]["passed"] > 0)
        for failed in results["failed_checks"]:
            faults.append(f"checkov {failed['check_id']} ({failed['check_name']}): {failed['resource']}")
        for skipped in results["skipped_checks"]:
            print(f"checkov {skipped['check_id']} left out for {skipped['resource']}: {skipped['check_result']['suppress_comment']}")
        print(f"checkov {report['check_type']}: {report['summary']['passed']} passed, {report['summary']['skipped']} left out")


def check_pod(overlay, document, pod, documents):
    name = f"{overlay}: {document['kind']}/{document['metadata']['name']}"
    spec = pod["spec"]
    # Kubernetes would write CIDADAO_SERVICE_HOST, which is no setting.
    hold(f"{name}: enableServiceLinks", spec.get("enableServiceLinks") is False)
    hold(f"{name}: a token is mounted", spec.get("automountServiceAccountToken") is False)
    hold(f"{name}: seccomp", spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault")
    for container in containers_of(pod):
        of = f"{name}: {container['name']}"
        may = container["securityContext"]
        hold(f"{of} may write its root", may["readOnlyRootFilesystem"] is True)
        hold(f"{of} may be root", may["runAsNonRoot"] is True and may["runAsUser"] >= 10000)
        hold(f"{of} has capabilities", may["capabilities"] == {"drop": ["ALL"]} and may["allowPrivilegeEscalation"] is False)
        for port in container.get("ports", []):
            hold(f"{of}: port {port['name']} says no protocol", port["name"].startswith("http-"))
    main = spec["containers"][0]
    secrets = {v["name"] for v in spec.get("volumes", []) if "secret" in v}
    for container in containers_of(pod):
        named = [v for k, v in environment_of(container, documents).items() if k.endswith("_URL_FILE")]
        at = [m["mountPath"] for m in container.get("volumeMounts", []) if m["name"] in secrets]
        hold(f"{name}: {container['name']}: a secret's file is not there", all(v.rpartition("/")[0] in at for v in named))
    hold(f"{name}: resources", main["resources"] == {
        "requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "2000m", "memory": "2Gi"}})
    if document["kind"] == "Job":
        return
    drain = int(environment_of(main, documents)["CIDADAO_HTTP_DRAIN_S"])
    ready = main["readinessProbe"]
    hold(f"{name}: killed before it has drained", spec["terminationGracePeriodSeconds"] > drain + GRACE_S)
    hold(f"{name}: it stops listening before it is known as not ready", ready["periodSeconds"] * ready["failureThreshold"] < drain)
    for probe, path in [("startupProbe", "live"), ("livenessProbe", "live"), ("readinessProbe", "ready")]:
        hold(f"{name}: {probe}", main[probe]["httpGet"]["path"] == f"/health/{path}")
    if overlay == "production":
        hold(f"{name}: topology", spec["topologySpreadConstraints"])


def check_objects(overlay, documents, metrics):
    by_name = {(d["kind"], d["metadata"]["name"]): d for d in documents}
    pods = [(pod["metadata"]["labels"], pod) for _, pod in pods_of(documents)]
    matching = lambda wanted: [pod for labels, pod in pods if wanted.items() <= labels.items()]
    for (kind, name), document in by_name.items():
        spec = document.get("spec", {})
        if kind == "Service":
            hold(f"{overlay}: {name} keeps a client with one pod", spec.get("sessionAffinity", "None") == "None")
            ports = {p["name"] for pod in matching(spec["selector"]) for c in pod["spec"]["containers"] for p in c.get("ports", [])}
            for port in spec["ports"]:
                hold(f"{overlay}: {name}: nobody listens at {port['targetPort']}", port["targetPort"] in ports)
        if kind == "NetworkPolicy":
            # One without labels holds for whatever else runs in the namespace, and cuts it off.
            labels = spec["podSelector"].get("matchLabels")
            hold(f"{overlay}: {name} is of every pod of the namespace", labels)
            hold(f"{overlay}: {name} is of no pod", not labels or matching(labels))
        if kind == "PodDisruptionBudget":
            hold(f"{overlay}: {name} is of no pod", matching(spec["selector"]["matchLabels"]))
        if kind == "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            hold(f"{overlay}: {name} scales nothing", (target["kind"], target["name"]) in by_name)
            hold(f"{overlay}: {name} and a fixed number", "replicas" not in by_name[target["kind"], target["name"]]["spec"])
            adapter = (KUBERNETES / "overlays/production/prometheus-adapter.yaml").read_text()
            for metric in spec["metrics"]:
                if metric["type"] == "Resource":
                    continue
                wanted = metric[metric["type"].lower()]["metric"]["name"]
                hold(f"{overlay}: {name}: the program tells no {wanted}", re.search(rf"^{wanted}[{{ ]", metrics, re.M))
                hold(f"{overlay}: {name}: the adapter makes no {wanted}", wanted in adapter)
    if overlay == "production":
        roles = {tuple(c["args"]) for _, pod in pods_of(documents) for c in containers_of(pod)}
        hold("production: roles are not apart", {("serve", "--roles", "api"), ("serve", "--roles", "worker")} <= roles)
        hold("production: nobody migrates", ("migrate", "--json") in roles)


def check_program(binary, where, args, settings):
    """The program takes these settings and knows this command."""
    settings = {name: str(value) for name, value in settings.items() if not name.endswith(("_URL", "_URL_FILE"))}
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CIDADAO_")}
        done = run(binary, "--data-dir", folder, "migrate", "--status", "--json", env=environment | settings)
        hold(f"{where}: the program refuses its settings: {done.stderr}", done.returncode == 0)
    done = run(binary, *args, "--help")
    hold(f"{where}: the program does not know `{' '.join(args)}`: {done.stderr}", done.returncode == 0)


def check_compose(binary):
    compose = yaml.safe_load((HERE / "deploy/compose.yaml").read_text())
    services = compose["services"]
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            hold(f"compose: {name} waits for {other}, which is not there", other in services)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (HERE / "deploy" / source).exists() if source.startswith("./") else source in compose["volumes"]
            hold(f"compose: {name}: no volume {source}", there)
        for port in service.get("ports", []):
            hold(f"compose: {name} is open to everybody", port.startswith("127.0.0.1:"))
        if service.get("image", "").startswith("cidadao:"):
            hold(f"compose: {name} may write its root", service["read_only"] and service["cap_drop"] == ["ALL"])
            check_program(binary, f"compose: {name}", service["command"], service["environment"])


def check_scrapes():
    """Prometheus reads the ports of services that there are."""
    services = yaml.safe_load((HERE / "deploy/compose.yaml").read_text())["services"]
    scrape = yaml.safe_load((HERE / "deploy/compose/prometheus.yml").read_text())["scrape_configs"][0]
    hold("prometheus: the job is not called as the rules want it", scrape["job_name"] == "cidadao")
    for found in scrape["dns_sd_configs"]:
        settings = services[found["names"][0]]["environment"]
        ports = {settings.get(name, "").rsplit(":")[-1] for name in ("CIDADAO_HTTP_LISTEN", "CIDADAO_WORK_LISTEN")}
        hold(f"prometheus: {found['names']} does not listen at {found['port']}", str(found["port"]) in ports)


def check_units(binary):
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "cidadao")
        program.symlink_to(binary)
        for unit in sorted((HERE / "deploy/systemd").glob("*.service")):
            text = unit.read_text()
            command = re.search(r"^ExecStart=/usr/bin/cidadao (.*)$", text, re.M).group(1).replace("%i", "9091").split()
            hold(f"{unit.name}: the program does not know its command", run(binary, *command, "--help").returncode == 0)
            # As if the package were installed; manual pages are looked for by another test.
            hold(f"{unit.name}: it cannot be told to read its settings anew", "\nExecReload=/bin/kill -HUP $MAINPID\n" in text)
            text = re.sub(r"^Documentation=.*$", "", text.replace("/usr/bin/cidadao", str(program)), flags=re.M)
            copy = Path(folder, unit.name.replace("@", "@9091"))
            copy.write_text(text)
            done = run("systemd-analyze", "verify", "--man=no", copy)
            told = [line for line in (done.stdout + done.stderr).splitlines() if unit.stem.split("@")[0] in line]
            hold(f"{unit.name}: {told}", done.returncode == 0 and not told)
            done = run("systemd-analyze", "security", "--offline=true", copy)
            found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
            hold(f"{unit.name}: exposure unknown: {done.stdout}{done.stderr}", found)
            if found:
                print(f"{unit.name}: exposure {found.group(1)} of 10")
                hold(f"{unit.name}: exposure {found.group(1)}", float(found.group(1)) <= EXPOSURE_MAX)


def main():
    binary, metrics = os.path.abspath(sys.argv[1]), Path(sys.argv[2]).read_text()
    texts = {overlay: render(overlay) for overlay in OVERLAYS}
    for overlay, text in texts.items():
        documents = list(yaml.safe_load_all(text))
        check_schemas(overlay, documents)
        check_objects(overlay, documents, metrics)
        for document, pod in pods_of(documents):
            check_pod(overlay, document, pod, documents)
            for container in containers_of(pod):
                where = f"{overlay}: {document['metadata']['name']}/{container['name']}"
                check_program(binary, where, container["args"], environment_of(container, documents))
        print(f"{overlay}: {len(documents)} objects against Kubernetes {' and '.join(VERSIONS)}")
    check_rules(texts)
    check_compose(binary)
    check_scrapes()
    check_units(binary)
    for fault in faults:
        print(f"FAULT {fault}")
    sys.exit(1 if faults else 0)


main()
