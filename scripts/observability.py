#!/usr/bin/env python3
"""Writes Grafana's dashboards and Prometheus' rules, with the rules' tests, from their descriptions.

    scripts/observability.py           writes deploy/grafana/*.json, deploy/prometheus/rules.yml and rules_test.yml
    RUNBOOKS=https://… scripts/observability.py   the same; alerts link to your own copy of docs/operations.md
    scripts/observability.py --check   changes nothing; ends with 1 when a file is not what the descriptions say

Needs Python 3.11 and nothing else."""

import json
import os
import pathlib
import sys
import tomllib

DEPLOY = pathlib.Path(__file__).resolve().parent.parent / "deploy"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
CHOSEN = 'job=~"$job",instance=~"$instance"'
ONE = 'job="cidadao",instance="a"'
WINDOWS = ["5m", "30m", "1h", "6h", "3d"]
COLUMNS = 24
# Where who is woken finds what to do: a page with a heading for each alert.
RUNBOOKS = os.environ.get("RUNBOOKS", "docs/operations.md")
# Of the tests of promises: how long all is bad in them, and good after it.
BAD_MINUTES, GOOD_MINUTES = 60, 40


def panel(number, described, x, y, width, height):
    kind, unit = described.get("kind", "timeseries"), described["unit"]
    targets = [
        {
            "refId": chr(ord("A") + at),
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": expr.replace("{@", "{" + CHOSEN),
            "legendFormat": legend,
            "range": True,
            "exemplar": described.get("exemplars", False),
            **({"format": "heatmap"} if kind == "heatmap" else {}),
        }
        for at, (expr, legend) in enumerate(described["queries"])
    ]
    steps = [{"color": "green", "value": None}] + [{"color": "red", "value": line} for line in described.get("lines", [])]
    custom = {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": False}
    if described.get("lines"):
        custom["thresholdsStyle"] = {"mode": "line"}
    options = {
        "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value", "graphMode": "area"},
        "gauge": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "showThresholdLabels": False},
        "heatmap": {"calculate": False, "yAxis": {"unit": unit}, "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64}},
    }
    defaults = {"unit": unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}, "color": {"mode": "palette-classic"}}
    if kind == "timeseries":
        defaults["custom"] = custom
    if unit == "percentunit":
        defaults["max"] = 1
    return {
        "id": number,
        "type": kind,
        "title": described["title"],
        "description": described.get("help", ""),
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options[kind],
        "targets": targets,
    }


def variable(name, label, query):
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def dashboard(described):
    panels, x, y = [], 0, 0
    for number, one in enumerate(described["panels"], 1):
        width, height = (6, 5) if one.get("kind") in ("stat", "gauge") else (12, 8)
        if x + width > COLUMNS:
            x, y = 0, y + tallest
        panels.append(panel(number, one, x, y, width, height))
        tallest = height if x == 0 else max(tallest, height)
        x += width
    variables = [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
         "includeAll": False, "multi": False, "current": {}},
        variable("job", "Job", "label_values(cidadao_ai_build_info, job)"),
        variable("instance", "Instance", 'label_values(cidadao_ai_build_info{job=~"$job"}, instance)'),
    ]
    if described.get("route"):
        of = 'cidadao_ai_request_duration_seconds_count{job=~"$job",instance=~"$instance"}'
        variables.append(variable("route", "Route", f"label_values({of}, route)"))
    return {
        "uid": described["uid"],
        "title": described["title"],
        "tags": ["cidadao-ai"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [{"type": "dashboards", "title": "Cidadão.AI", "tags": ["cidadao-ai"], "asDropdown": True, "keepTime": True, "includeVars": True}],
        "templating": {"list": variables},
        "panels": panels,
    }


def said(value):
    return json.dumps(value, ensure_ascii=False)


def mapping(pairs):
    return "{" + ", ".join(f"{name}: {said(value)}" for name, value in pairs.items()) + "}"


def bad_share(promise, window):
    """What of a promise is bad, over a window: 0 to 1."""
    if "gauge" in promise:
        return f"max by (job) (avg_over_time(cidadao_ai:memory_over:bool[{window}]))"
    good, every = (f"sum by (job) (rate({promise[what]}[{window}]))" for what in ("good", "all"))
    return f"1 - {good} / {every}"


def burns(promise):
    """How many times as fast as it may a budget burns when someone is called, and when it is noted for the day."""
    return min(14.4, 0.6 / promise["budget"]), min(6, 0.3 / promise["budget"])


def promise_alerts(promise):
    name, slo, budget = promise["name"], promise["slo"], promise["budget"]
    fast, slow = burns(promise)
    over = lambda window, times: f'cidadao_ai:slo_bad:ratio_rate{window}{{slo="{slo}"}} > {round(times * budget, 6)}'
    at_once = f"({over('1h', fast)} and {over('5m', fast)}) or ({over('6h', slow)} and {over('30m', slow)})"
    says = f"The promise that {promise['says']} is being broken"
    labels = {"job": "cidadao", "slo": slo}
    return [
        {"name": f"{name}BurnsFast", "severity": "page", "expr": at_once, "labels": labels,
         "says": f"{says}: at this rate the budget of thirty days is used up within days."},
        {"name": f"{name}BurnsSlowly", "severity": "ticket", "for": "1h", "expr": f"{over('3d', 1)} and {over('6h', 1)}", "labels": labels,
         "says": f"{says}: at this rate the budget of thirty days does not last for them."},
    ]


def rules(described):
    out = ["# Written by scripts/observability.py from alerts.toml.", "groups:"]
    for promise in described["promise"]:
        out += [f"  - name: cidadao-{promise['slo'].replace('_', '-')}", "    rules:"]
        if "gauge" in promise:
            out += ["      - record: cidadao_ai:memory_over:bool", f"        expr: {said(promise['gauge'] + ' > bool ' + format(promise['bound'], '.0f'))}"]
        for window in WINDOWS:
            out += [
                f"      - record: cidadao_ai:slo_bad:ratio_rate{window}",
                f"        expr: {said(bad_share(promise, window))}",
                f"        labels: {mapping({'slo': promise['slo']})}",
            ]
        out += [line for alert in promise_alerts(promise) for line in rule(alert)]
    out += ["  - name: cidadao", "    rules:"]
    out += [line for alert in described["alert"] for line in rule(alert)]
    return "\n".join(out) + "\n"


def annotations(alert):
    return {"summary": alert["says"], "runbook_url": f"{RUNBOOKS}#{alert['name'].lower()}"}


def rule(alert):
    return [
        f"      - alert: {alert['name']}",
        f"        expr: {said(alert['expr'])}",
        *([f"        for: {alert['for']}"] if "for" in alert else []),
        f"        labels: {mapping({'severity': alert['severity']})}",
        f"        annotations: {mapping(annotations(alert))}",
    ]


def case(name, series, at, checks):
    """One test: these series, and which alerts fire at a time."""
    out = [f"  - name: {said(name)}", "    interval: 1m", "    input_series:"]
    for what, values in series:
        # Where values stand without a step they stay.
        out += [f"      - series: {said(what.replace('{@', '{' + ONE))}", f"        values: {said(values)}"]
    out += ["    alert_rule_test:"]
    for alert, fires in checks:
        out += [f"      - eval_time: {at}", f"        alertname: {alert['name']}"]
        if fires:
            labels = alert.get("labels", {"job": "cidadao", "instance": "a"}) | {"severity": alert["severity"]}
            out += [f"        exp_alerts: [{{exp_labels: {mapping(labels)}, exp_annotations: {mapping(annotations(alert))}}}]"]
        else:
            out += ["        exp_alerts: []"]
    return out


def promise_cases(promise):
    fast, slow = promise_alerts(promise)
    # A window that is longer than what is known of is reckoned over what is known.
    minutes = BAD_MINUTES + GOOD_MINUTES
    if "gauge" in promise:
        all_bad, all_good = ([[promise["gauge_series"], f"{value}x{minutes}"]] for value in ("3000000000", "1000000000"))
        over = [[promise["gauge_series"], f"3000000000x{BAD_MINUTES} 1000000000x{GOOD_MINUTES}"]]
        every = round(1 / (1.5 * promise["budget"]))
        some = " ".join([f"1000000000x{every - 2} 3000000000"] * (minutes // every))
        some_bad = [[promise["gauge_series"], some]]
    else:
        of = lambda share: [[promise["good_series"], f"0+{1000 * (1 - share):g}x{minutes}"], [promise["all_series"], f"0+1000x{minutes}"]]
        all_bad, all_good, some_bad = of(1), of(0), of(1.5 * promise["budget"])
        over = [[promise["good_series"], f"0x{BAD_MINUTES} 0+1000x{GOOD_MINUTES}"], [promise["all_series"], f"0+1000x{minutes + 1}"]]
    at = f"{minutes}m"
    return [
        *case(f"{promise['name']}: all is bad", all_bad, at, [(fast, True), (slow, True)]),
        *case(f"{promise['name']}: a little more than may be is bad", some_bad, at, [(fast, False), (slow, True)]),
        *case(f"{promise['name']}: an hour was bad and is over", over, at, [(fast, False), (slow, True)]),
        *case(f"{promise['name']}: all is good", all_good, at, [(fast, False), (slow, False)]),
    ]


def tests(described):
    out = ["# Written by scripts/observability.py from alerts.toml.", "rule_files: [rules.yml]", "evaluation_interval: 1m", "tests:"]
    for promise in described["promise"]:
        out += promise_cases(promise)
    for alert in described["alert"]:
        at = alert.get("at", "18m")
        out += case(f"{alert['name']} fires", alert["fires"], at, [(alert, True)])
        out += case(f"{alert['name']} does not fire", alert["quiet"], at, [(alert, False)])
    return "\n".join(out) + "\n"


def main():
    described = tomllib.loads((DEPLOY / "grafana/dashboards.toml").read_text())
    alerts = tomllib.loads((DEPLOY / "prometheus/alerts.toml").read_text())
    files = {DEPLOY / "prometheus/rules.yml": rules(alerts), DEPLOY / "prometheus/rules_test.yml": tests(alerts)}
    for one in described["dashboard"]:
        files[DEPLOY / f"grafana/{one['file']}.json"] = json.dumps(dashboard(one), indent=2, ensure_ascii=False) + "\n"
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path} is not what its description says: run scripts/observability.py", file=sys.stderr)
        sys.exit(1 if stale else 0)
    for path in stale:
        path.write_text(files[path])
        print(path)


main()
