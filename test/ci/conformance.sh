#!/usr/bin/env bash
# Runs the conformance kit against server processes, as the author of another server would: over TLS with the server's
# certificate, with kills during the run, and with users that sign up.
set -u
cd "$(dirname "$0")/../.." || exit 2
dir=$(mktemp -d)
export PATH="$PWD/node_modules/.bin:$PATH"
failed=0
trap 'kill -KILL $(cat "$dir"/*.pid 2>/dev/null) 2>/dev/null; rm -rf "$dir"' EXIT

# start.sh NAME ADDRESS [FLAG …] starts a server and returns when it is ready; its process id is in NAME.pid.
cat >"$dir/start.sh" <<'END'
name=$1; address=$2; shift 2
HOME=$dir node bin/parley-server.js --listen "$address" --data "$dir/$name" "$@" >"$dir/$name.out" 2>>"$dir/$name.log" &
echo $! >"$dir/$name.pid"
for _ in $(seq 150); do grep -q ready "$dir/$name.out" && exit 0; sleep 0.1; done
cat "$dir/$name.out" "$dir/$name.log" >&2
exit 1
END
export dir
start() { bash "$dir/start.sh" "$@" || exit 1; }
port() { sed -n 's/^ *address .*:\([0-9]*\).*/\1/p' "$dir/$1.out"; }
fingerprint() { sed -n 's/^ *fingerprint *\([^ ]*\).*/\1/p' "$dir/$1.out"; }

kit() { # what, argument …
  local what=$1; shift
  if npm run --silent conformance -- "$@" >"$dir/kit.out" 2>&1; then echo "ok    $what: $(tail -1 "$dir/kit.out")"; else
    echo "FAIL  $what:"; grep -v ^passed "$dir/kit.out"; failed=1
  fi
}

start killed 127.0.0.1:0 --credentials docs/credentials.txt
HOME=$dir node bin/parley-server.js cert --data "$dir/killed" >"$dir/server.pem" || exit 1
kit "over TLS, with kills" --target "127.0.0.1:$(port killed)" --ca "$dir/server.pem" --users docs/credentials.txt \
  --restart "kill -KILL \$(cat $dir/killed.pid); bash $dir/start.sh killed 127.0.0.1:$(port killed)"
grep -q " 0 failed, 1 skipped" "$dir/kit.out" || { echo "FAIL  other checks than the time-out were skipped:"; cat "$dir/kit.out"; failed=1; }

start open 127.0.0.1:0 --sign-up open --timeout 2
kit "with users that sign up" --target "localhost:$(port open)" --fingerprint "$(fingerprint open)" --sign-up \
  --only log-in --only once --only limits.idle-timeout
grep -q " 0 skipped" "$dir/kit.out" || { echo "FAIL  a check was skipped:"; cat "$dir/kit.out"; failed=1; }

[ $failed = 0 ] && echo "passed"
exit $failed
