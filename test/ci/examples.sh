#!/usr/bin/env bash
# Builds the example clients for the languages that are installed. Each replays the golden transcripts and has to reach their
# outcomes. Then it runs against a server: it has to show missed messages, send with an ack, resume after a lost connection
# without losing or repeating a line, and show a refusal's reason. Last, all of them have a conversation with the terminal client.
set -u
cd "$(dirname "$0")/../.." || exit 2
root=$PWD
dir=$(mktemp -d)
export PATH="$root/node_modules/.bin:$PATH"
unset PARLEY_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME TMUX
failed=0
cleanup() {
  tmux -L "parley-examples-$$" kill-server 2>/dev/null
  kill -KILL $(jobs -p) 2>/dev/null
  rm -rf "$dir"
}
trap cleanup EXIT

password() { sed -n "s/^$1 //p" docs/credentials.txt; }
parley() { HOME=$dir node "$root/bin/parley.js" "$@"; }

HOME=$dir node bin/parley-server.js --credentials docs/credentials.txt --listen 127.0.0.1:0 --data "$dir/data" \
  >"$dir/server.out" 2>"$dir/server.log" &
for _ in $(seq 100); do grep -q ready "$dir/server.out" && break; sleep 0.1; done
port=$(sed -n 's/^ *address .*:\([0-9]*\).*/\1/p' "$dir/server.out")
[ -n "$port" ] || { cat "$dir/server.out" "$dir/server.log"; exit 1; }
HOME=$dir node bin/parley-server.js cert --data "$dir/data" >"$dir/server.pem" || exit 1
password luke | parley login luke --server "127.0.0.1:$port" --password-stdin >/dev/null 2>&1 || exit 1

check() { # language, user, command …
  local language=$1 user=$2; shift 2
  parley send "$user" "missed by $user" >/dev/null || { failed=1; return; }
  if ! PARLEY_PASSWORD=$(password "$user") "$@" >"$dir/$language.out" 2>"$dir/$language.err"; then
    echo "FAIL  $language: it failed"; cat "$dir/$language.out" "$dir/$language.err"; failed=1; return
  fi
  local expected
  expected=$(cat <<EOF
connected as $user
luke: missed by $user
caught up
stored as number 2
connected as $user
$user: sent while the stream was down
caught up
refused: USER_NOT_FOUND (There is no user of that name.)
EOF
)
  if [ "$(cat "$dir/$language.out")" = "$expected" ]; then echo "ok    $language"; else
    echo "FAIL  $language:"; diff <(echo "$expected") "$dir/$language.out"; failed=1
  fi
  # With a wrong password it prints the reason and exits with an error.
  if PARLEY_PASSWORD=wrong "$@" >"$dir/$language.out" 2>&1 || ! grep -q CREDENTIALS_WRONG "$dir/$language.out"; then
    echo "FAIL  $language: a wrong password"; cat "$dir/$language.out"; failed=1
  fi
  # A missing certificate is reported in one line, without a stack trace.
  if "$@" --cert "$dir/none.pem" >"$dir/$language.out" 2>&1 || [ "$(wc -l <"$dir/$language.out")" != 1 ]; then
    echo "FAIL  $language: no certificate"; cat "$dir/$language.out"; failed=1
  fi
}

same_outcome() { # file, file: whether both have the same JSON
  node -e 'const [a, b] = process.argv.slice(1).map((file) => JSON.parse(require("node:fs").readFileSync(file, "utf8")));
    require("node:assert").deepStrictEqual(a, b)' "$1" "$2"
}

replay() { # language, command …
  local language=$1 file outcome all=0 good=0; shift
  for file in transcripts/*.binpb; do
    outcome=${file%.events.binpb}.outcome.json
    if ! "$@" "$file" >"$dir/outcome" 2>"$dir/$language.err"; then
      echo "FAIL  $language: $file"; cat "$dir/$language.err"; failed=1
    elif [ -e "$outcome" ] && ! same_outcome "$outcome" "$dir/outcome" 2>"$dir/difference"; then
      echo "FAIL  $language: the outcome of $file"; cat "$dir/difference"; failed=1
    else good=$((good + 1)); fi
    all=$((all + 1))
  done
  echo "      $language: $good of $all transcripts reach their outcome"
}

if command -v go >/dev/null; then
  (cd examples/go && buf generate ../../proto && go build -o "$dir/go-client" .) || { echo "FAIL  go: does not build"; failed=1; }
  replay go "$dir/go-client" -transcript
  check go yoda "$dir/go-client" -address "localhost:$port" -cert "$dir/server.pem" -user yoda -to luke
else echo "skipped: go, which is not installed"; fi

if command -v python3 >/dev/null; then
  python3 -m venv "$dir/python" && "$dir/python/bin/pip" install --quiet --disable-pip-version-check -r examples/python/requirements.txt &&
    (cd examples/python && PATH="$dir/python/bin:$PATH" buf generate ../../proto) || { echo "FAIL  python: does not build"; failed=1; }
  replay python "$dir/python/bin/python" examples/python/main.py --transcript
  check python vader "$dir/python/bin/python" examples/python/main.py --address "localhost:$port" --cert "$dir/server.pem" --user vader --to luke
else echo "skipped: python, which is not installed"; fi

if command -v cargo >/dev/null; then
  (cd examples/rust && PATH="$HOME/.cargo/bin:$PATH" buf generate ../../proto && CARGO_TARGET_DIR="$dir/rust" cargo build --quiet --locked) ||
    { echo "FAIL  rust: does not build"; failed=1; }
  replay rust "$dir/rust/debug/parley-example" --transcript
  check rust leia "$dir/rust/debug/parley-example" --address "localhost:$port" --cert "$dir/server.pem" --user leia --to luke
else echo "skipped: rust, which is not installed"; fi

. test/ci/conversation.bash
if [ $failed != 0 ]; then echo "skipped: the conversation, because a test before it failed"
elif ! { command -v go && command -v python3 && command -v cargo && command -v tmux; } >/dev/null; then
  echo "skipped: the conversation, which needs go, python, rust and tmux"
else converse; fi

[ $failed = 0 ] && echo "passed"
exit $failed
