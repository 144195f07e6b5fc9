#!/usr/bin/env bash
# Compiles the contract with the protoc of the system, which on Debian is years older than buf: into messages for each language
# that protoc has built in, and into services where a plug-in is installed. Each proto file has to produce a file.
set -u
cd "$(dirname "$0")/../.." || exit 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
mapfile -t protos < <(cd proto && find . -name '*.proto' -printf '%P\n' | sort)
mapfile -t services < <(cd proto && grep -l '^service ' "${protos[@]}")

command -v protoc >/dev/null || { echo "FAIL  protoc is not installed (Debian: protobuf-compiler)"; exit 1; }
protoc --version

compile() { # name, expected number of files, pattern of their names, file …, with the flags in $flags
  local name=$1 expected=$2 pattern=$3 made; shift 3
  rm -rf "$dir/out" && mkdir "$dir/out"
  if ! protoc -I proto "${flags[@]}" "$@" 2>"$dir/err"; then
    echo "FAIL  $name:"; cat "$dir/err"; failed=1; return
  fi
  made=$(find "$dir/out" -name "$pattern" | wc -l)
  if [ "$made" -lt "$expected" ]; then echo "FAIL  $name: $made files of $expected"; failed=1; return; fi
  echo "ok    $name"
}

messages() { # name, flag, pattern
  flags=("--$2_out=$dir/out")
  compile "$1, messages" "${#protos[@]}" "$3" "${protos[@]}"
}

services() { # name, plug-in, pattern
  local plugin
  plugin=$(command -v "$2") || { echo "skipped: $1, services: $2 is not installed"; return; }
  flags=("--grpc_out=$dir/out" "--plugin=protoc-gen-grpc=$plugin")
  compile "$1, services" "${#services[@]}" "$3" "${services[@]}"
}

messages Python python '*_pb2.py'
messages Java java '*.java'
messages 'C#' csharp '*.cs'
messages C++ cpp '*.pb.cc'
messages Kotlin kotlin '*.kt'
messages Objective-C objc '*.pbobjc.m'
services Python grpc_python_plugin '*_pb2_grpc.py'
services Java grpc_java_plugin '*Grpc.java'
services C++ grpc_cpp_plugin '*.grpc.pb.cc'
services 'C#' grpc_csharp_plugin '*Grpc.cs'

# Debian has no package with the generator for Swift. A Mac has one, from `brew install swift-protobuf`.
if command -v protoc-gen-swift >/dev/null; then messages Swift swift '*.pb.swift'
else echo "skipped: Swift: protoc-gen-swift is not installed"; fi

# Tools with an old descriptor.proto, such as ghz, read the schema as a descriptor set that has all imports.
flags=("--include_imports" "--include_source_info" "--descriptor_set_out=$dir/out/set.binpb")
compile "a descriptor set" 1 set.binpb "${protos[@]}"
if [ "$failed" = 0 ] && ! protoc --decode=google.protobuf.FileDescriptorSet \
  -I "$(dirname "$(find /usr/include /usr/local/include -path '*google/protobuf/descriptor.proto' -print -quit)")/../.." \
  google/protobuf/descriptor.proto <gen/parley.binpb >"$dir/text"; then
  echo "FAIL  gen/parley.binpb cannot be decoded"; failed=1
elif grep -nE '^ *[0-9]+(:| \{)' "$dir/text"; then
  echo "FAIL  gen/parley.binpb has the fields above, which this protoc does not know"; failed=1
else echo "ok    gen/parley.binpb has only fields that this protoc knows"; fi

[ $failed = 0 ] && echo "passed"
exit $failed
