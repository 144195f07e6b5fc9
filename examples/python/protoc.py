"""Runs protoc of grpcio-tools for buf, and lets it write the service stubs beside the messages."""

import sys

from grpc_tools import protoc

arguments = sys.argv[1:]
stubs = [one.replace("--python_out", "--grpc_python_out") for one in arguments if one.startswith("--python_out")]
sys.exit(protoc.main(["protoc", *stubs, *arguments]))
