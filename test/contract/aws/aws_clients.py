"""Runs the AWS CLI and boto3, both unmodified, for a test: one process for many commands, because each start of them takes a second of a processor.

Reads a JSON object a line, writes one a line:

    {"cli": ["lambda", "list-event-source-mappings"]}       -> {"code": 0, "output": "...", "error": "..."}
    {"operation": "list_event_source_mappings", "parameters": {}} -> {"result": {...}} or {"error": {...}}
"""

import contextlib
import io
import json
import sys

import boto3
from awscli.clidriver import create_clidriver
from botocore.exceptions import BotoCoreError, ClientError


def run_cli(driver, arguments):
    output, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
        try:
            code = driver.main(arguments)
        except SystemExit as end:  # the parser of arguments ends the program
            code = end.code
    return {"code": code, "output": output.getvalue(), "error": error.getvalue()}


def run_boto3(client, operation, parameters):
    try:
        answer = getattr(client, operation)(**parameters)
    except ClientError as error:
        metadata = error.response["ResponseMetadata"]
        return {
            "error": {
                "type": error.response["Error"]["Code"],
                "message": error.response["Error"]["Message"],
                "class": type(error).__name__,
                "status": metadata["HTTPStatusCode"],
                "requestId": metadata.get("RequestId"),
            }
        }
    except BotoCoreError as error:
        return {"error": {"type": type(error).__name__, "message": str(error)}}
    metadata = answer.pop("ResponseMetadata")
    return {
        "result": answer,
        "status": metadata["HTTPStatusCode"],
        "requestId": metadata.get("RequestId"),
    }


def run_pages(client, parameters, page_size):
    pages = client.get_paginator("list_event_source_mappings").paginate(
        PaginationConfig={"PageSize": page_size}, **parameters
    )
    return {"result": [page["EventSourceMappings"] for page in pages]}


def main():
    driver = create_clidriver()
    client = boto3.client("lambda")
    for line in sys.stdin:
        command = json.loads(line)
        if "cli" in command:
            answer = run_cli(driver, command["cli"])
        elif "pageSize" in command:
            answer = run_pages(client, command["parameters"], command["pageSize"])
        else:
            answer = run_boto3(client, command["operation"], command["parameters"])
        print(json.dumps(answer, default=lambda value: value.isoformat()), flush=True)


main()
