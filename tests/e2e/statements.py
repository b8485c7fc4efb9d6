"""Holds in-toto statements to the published model of them: no member that it does not know, none that it asks for missing."""

import json
import pathlib
import sys

from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

for path in map(pathlib.Path, sys.argv[1:]):
    text = path.read_text()
    statement = json_format.Parse(text, Message())
    Statement.copy_from_pb(statement).validate()
    assert statement.predicate_type == "https://in-toto.io/attestation/test-result/v0.1", path
    result = json_format.Parse(json.dumps(json.loads(text)["predicate"]), TestResult())
    assert result.result in ("PASSED", "WARNED", "FAILED"), path
    assert (result.result == "FAILED") == bool(result.failed_tests), path
    assert result.result != "PASSED" or not result.warned_tests, path
print(f"{len(sys.argv) - 1} statements hold")
