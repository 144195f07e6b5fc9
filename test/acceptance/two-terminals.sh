#!/usr/bin/env bash
# Two users chat in two terminals while a script sends two hundred messages and the server is killed and started again.
# No message is lost or shown twice.
set -u
cd "$(dirname "$0")/../.." || exit 2
command -v tmux >/dev/null || { echo "tmux is needed"; exit 2; }
dir=$(mktemp -d)
export HOME=$dir
unset PARLEY_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME TMUX
export PATH="$PWD/node_modules/.bin:$PATH"
tmux=(tmux -L "parley-$$" -f /dev/null)
server=
failed=0

cleanup() {
  "${tmux[@]}" kill-server 2>/dev/null
  [ -n "$server" ] && kill -KILL "$server" 2>/dev/null
  rm -rf "$dir"
}
trap cleanup EXIT

check() { # what, command …
  local what=$1; shift
  if "$@"; then echo "ok    $what"; else echo "FAIL  $what"; failed=1; fi
}
screen() { "${tmux[@]}" capture-pane -p -J -S - -t "$1"; }
shows() { screen "$1" | grep -qF -- "$2"; }
times() { [ "$(screen "$1" | grep -cF -- "$2")" = "$3" ]; }
wait_for() { # pane, text, seconds
  for _ in $(seq $(($3 * 10))); do shows "$1" "$2" && return 0; sleep 0.1; done
  echo "--- $1 does not show \"$2\":"; screen "$1"
  return 1
}
type_in() { "${tmux[@]}" send-keys -t "$1" -l -- "$2"; "${tmux[@]}" send-keys -t "$1" Enter; }

start_server() { # address
  node bin/parley-server.js --credentials docs/credentials.txt --listen "$1" >>"$dir/server.out" 2>>"$dir/server.log" &
  server=$!
  for _ in $(seq 100); do
    address=$(sed -n 's/^ *address *\([^ ]*\).*/\1/p' "$dir/server.out" | tail -1)
    [ -n "$address" ] && [ "$(grep -c ready "$dir/server.out")" = "$2" ] && return 0
    sleep 0.1
  done
  echo "the server does not start:"; cat "$dir/server.out" "$dir/server.log"; exit 1
}

start_server 127.0.0.1:0 1
for user in hans yoda; do
  "${tmux[@]}" new-session -d -s "$user" -x 80 -y 24 "npx parley --server $address --as $user; echo left with \$?; cat"
done
wait_for hans "Password of hans" 20 || exit 1
wait_for yoda "Password of yoda" 20 || exit 1
type_in hans 'falcon*solo'
type_in yoda 'wise@!man'
wait_for hans "parley>" 20 || exit 1
wait_for yoda "parley>" 20 || exit 1

type_in hans "/open yoda"
wait_for hans "yoda>" 10 || exit 1
type_in hans "Never tell me the odds. 你好"
check "a message of hans is on yoda's screen" wait_for yoda "Never tell me the odds. 你好" 10
type_in yoda "/open hans"
wait_for yoda "hans>" 10 || exit 1
type_in yoda "Do or do not."
check "a message of yoda is on hans's screen" wait_for hans "Do or do not." 10

# The script's messages, in the background.
seq 200 | xargs -P 16 -I{} npx parley --as hans send --wait 60s yoda "number {}." >"$dir/sent" 2>"$dir/send.err" &
sending=$!
wait_for yoda "number " 30 || exit 1

kill -KILL "$server"; wait "$server" 2>/dev/null
type_in hans "typed while the server was away"
check "hans sees that the connection is lost" wait_for hans "reconnect" 20
start_server "$address" 2
check "the message of hans is delivered" wait_for yoda "typed while the server was away" 40
type_in yoda "back again, we are"
check "the next message of yoda is delivered" wait_for hans "back again, we are" 40

wait "$sending"; code=$?
check "all 200 sends of the script succeed (exit $code)" [ "$code" = 0 ]
[ "$code" = 0 ] || sort "$dir/send.err" | uniq -c | head

npx parley history --as yoda hans -n 500 >"$dir/history"
for number in $(seq 200); do
  [ "$(grep -cF "number $number." "$dir/history")" = 1 ] || { echo "number $number: $(grep -cF "number $number." "$dir/history") times"; failed=1; }
done
check "each of the 200 is in the history once" [ "$(grep -c 'number [0-9]*\.' "$dir/history")" = 200 ]
check "the message typed without a connection is in the history once" [ "$(grep -cF 'typed while the server was away' "$dir/history")" = 1 ]
wait_for yoda "number 200." 20
for number in $(seq 200); do
  times yoda "number $number." 1 || { echo "number $number is not on yoda's screen once"; failed=1; }
done
check "and on yoda's screen once" times yoda "typed while the server was away" 1
check "the messages from before the kill are still on the screen" shows yoda "Never tell me the odds."

# A second device of yoda, and the chat of hans after it was closed.
PARLEY_HOME=$dir/second npx parley login --server "$address" yoda --password-stdin --accept-new <<<'wise@!man' >/dev/null
PARLEY_HOME=$dir/second npx parley history hans -n 500 >"$dir/second-history"
check "a second device gets the same history" cmp -s "$dir/history" "$dir/second-history"

"${tmux[@]}" send-keys -t hans C-d
check "Ctrl-D leaves" wait_for hans "left with 0" 10
type_in yoda "hans, are you there?"
"${tmux[@]}" new-session -d -s again -x 80 -y 24 "npx parley --as hans; cat"
check "on return the missed message is shown" wait_for again "hans, are you there?" 20
check "and one line counts the new messages" wait_for again "new since" 5

kill -TERM "$server"; wait "$server"; check "SIGTERM ends the server with exit code 0" [ $? = 0 ]
server=
if [ $failed = 0 ]; then echo "passed"; else echo "--- yoda"; screen yoda | tail -40; echo "--- hans"; screen hans | tail -40; fi
exit $failed
