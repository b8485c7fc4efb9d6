#!/usr/bin/env python3
"""Makes document.v1.json, the catalogue that assertions are checked against, from the members of the API's types.

    python3 schema/document.py FIELDS.json > schema/document.v1.json

FIELDS.json is {"root": TYPE, "types": {TYPE: {"fields": {NAME: KIND}} | {"words": [WORD]} | {"free": true}},
"always": {TYPE: [NAME]}}, where KIND is "string", "integer", "boolean", "any", a TYPE, or a list of one of them.

One type a line, so that one is found without reading the others: its members by their kind, separated by blanks.
"[kind]" is a list, "free" an object with members of any name, "any" anything, the member "*" any other name, "words" what is known of a text, and "always" the
members that the server writes even when they are false, 0 or empty.
"""

import json
import sys

# The gate removes them on arrival, since they can hold secrets.
REMOVED = {"write_token", "plan_json", "composite_plan"}

# What servers write and their published types lack: seen in answers of a running control plane, or in its source.
MORE = {
    "VCSConnectionCommit": {"org_id": "string"},
    "WorkflowStepApproval": dict.fromkeys(
        ["changes_create", "changes_delete", "changes_noop", "changes_replace", "changes_update"], "integer"
    ),
    # A map that the workflow engine writes to; what is known of it may be absent.
    "CompositeStatusMetadata": dict.fromkeys(
        """abandoned all_steps_loaded approval_type auto_approved auto_retried auto_retries_exhausted awaiting_retry
        check checks directive eager_steps_loaded err_message error_message is_retry max_auto_retries max_retries no_op
        noop plan_only reason retry_idx retry_index retry_type skip_auto_retry skipped_on_failure status step_id
        step_idx summary *""".split(),
        "any",
    ),
}

# Runs of actions and jobs say these of themselves, and have a status of the common type as well.
RUNS = ["InstallActionWorkflowRun", "InstallActionWorkflowRunStep", "RunnerJob"]
WORDS_OF_RUNS = ["failed", "finished", "timed-out"]

# A workflow as what is gated: its own answer, and what the gate adds to it.
WORKFLOW = "WorkflowDocument"
ADDED = {"deploys": ["InstallDeploy"], "install": "Install"}

INSTALL = {
    "string": """app_branch_id app_config_id app_id cloud_platform composite_component_status
        composite_component_status_description composite_health_status composite_health_status_description created_at
        created_by_id expected_account_id expected_project_id expected_subscription_id id name org_id runner_id
        runner_status runner_status_description runner_type sandbox_health_message sandbox_health_status sandbox_status
        sandbox_status_description status status_description updated_at workflow_id""",
    "integer": "install_number",
    "any": """app app_branch app_branch_connections app_runner_config app_sandbox_config aws_account azure_account
        cloud_platform_metadata component_health_statuses component_statuses drifted_objects gcp_account
        install_action_workflows install_components install_config install_events install_inputs install_roles
        install_sandbox_runs install_stack install_states labels lifecycle_phase links metadata queues sandbox
        sandbox_mode workflows""",
}

# Which answer fills in what `deploys/latest` leaves out.
ANSWERS = {
    "deploys/{id}": """action_workflow_runs component_config_version component_id component_name install_id log_stream
        oci_artifact policy_reports runner_jobs""".split(),
    "workflows/{id}": ["workflow"],
}

NAMES = {"string": "text", "integer": "number"}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        source = json.load(file)
    types = {name: dict(kind) for name, kind in source["types"].items()}
    for name, fields in MORE.items():
        types[name] = {"fields": {**types[name].get("fields", {}), **fields}}

    types["StatusOfRun"] = {"words": types["Status"]["words"] + WORDS_OF_RUNS}
    types["CompositeStatusOfRun"] = {"fields": {**types["CompositeStatus"]["fields"], "status": "StatusOfRun"}}
    for name in RUNS:
        types[name]["fields"] = {**types[name]["fields"], "status_v2": "CompositeStatusOfRun"}

    fields = types["Workflow"]["fields"]
    types[WORKFLOW] = {"fields": {**fields, **ADDED}}
    types["Install"] = {"fields": {name: kind for kind, names in INSTALL.items() for name in names.split()}}
    always = {**source["always"], WORKFLOW: source["always"].get("Workflow", []) + sorted(ADDED)}

    def innermost(kind):
        return innermost(kind[0]) if isinstance(kind, list) else kind

    def written(kind):
        if isinstance(kind, list):
            return f"[{written(kind[0])}]"
        return "free" if types.get(kind, {}).get("free") else NAMES.get(kind, kind)

    lines, waiting = {}, [source["root"], WORKFLOW]
    while waiting:
        name = waiting.pop()
        if name in lines or types.get(name, {"free": True}).get("free"):
            continue
        if "words" in types[name]:
            lines[name] = {"words": " ".join(sorted(filter(None, types[name]["words"])))}
            continue
        fields = {field: kind for field, kind in types[name]["fields"].items() if field not in REMOVED}
        members = {}
        for field, kind in sorted(fields.items()):
            members.setdefault(written(kind), []).append(field)
            waiting.append(innermost(kind))
        if name in always:
            members["always"] = sorted(always[name])
        lines[name] = {kind: " ".join(names) for kind, names in sorted(members.items())}

    def line(name, value):
        return json.dumps(name) + ":" + json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    answers = {answer: " ".join(names) for answer, names in ANSWERS.items()}
    head = [line("root", source["root"]), line("workflow", WORKFLOW), line("answers", answers)]
    print("{\n" + ",\n".join(head) + ',\n"types":{')
    print(",\n".join(line(name, members) for name, members in sorted(lines.items())))
    print("}}")


main()
