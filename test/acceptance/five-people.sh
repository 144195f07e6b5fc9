#!/usr/bin/env bash
# Five users in five terminals, started by the original's command lines, try the original's rules: log-in, lock, one session
# per user, messages, presence, blocks and time-out. The script checks what each of them reads on the screen.
set -u
cd "$(dirname "$0")/../.." || exit 2
command -v tmux >/dev/null || { echo "tmux is needed"; exit 2; }
dir=$(mktemp -d)
export HOME=$dir
unset PARLEY_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME TMUX
export PATH="$PWD/node_modules/.bin:$PATH"
tmux=(tmux -L "parley-five-$$" -f /dev/null)
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
# `since` shows the lines of a pane after its last `mark`. The prompt and the status line are always the last two lines, so
# `mark` does not count them.
declare -A marks
mark() { for pane in "$@"; do marks[$pane]=$(($(screen "$pane" | grep -c .) - 2)); done; }
since() { screen "$1" | grep . | tail -n +"$((${marks[$1]:-0} + 1))"; }
wait_for() { # pane, text, seconds
  for _ in $(seq $(($3 * 10))); do since "$1" | grep -qF -- "$2" && return 0; sleep 0.1; done
  echo "--- $1 does not show \"$2\":"; since "$1"
  return 1
}
never() { # pane, text: it is not shown, although it had time to appear
  ! since "$1" | grep -qF -- "$2" && return 0
  echo "--- $1 shows \"$2\":"; since "$1"
  return 1
}
type_in() { "${tmux[@]}" send-keys -t "$1" -l -- "$2"; "${tmux[@]}" send-keys -t "$1" Enter; }
press() { "${tmux[@]}" send-keys -t "$1" "$2"; }

start_server() { # block_duration timeout [flags]
  : >"$dir/server.out"
  node bin/parley-server.js "${port:-0}" "$@" >>"$dir/server.out" 2>>"$dir/server.log" &
  server=$!
  for _ in $(seq 150); do
    grep -q ready "$dir/server.out" && break
    sleep 0.1
  done
  port=$(sed -n 's/^ *address .*:\([0-9]*\).*/\1/p' "$dir/server.out" | tail -1)
  [ -n "$port" ] && grep -q ready "$dir/server.out" && return 0
  echo "the server does not start:"; cat "$dir/server.out" "$dir/server.log"; exit 1
}
stop_server() { kill -TERM "$server"; wait "$server"; local code=$?; server=; return $code; }

password() { sed -n "s/^$1 //p" docs/credentials.txt; }
sit_down() { # pane
  "${tmux[@]}" kill-session -t "$1" 2>/dev/null
  "${tmux[@]}" new-session -d -s "$1" -x 100 -y 40 "npx parley 127.0.0.1 $port; echo left with \$?; cat"
  marks[$1]=0
  wait_for "$1" "Username" 20 || exit 1
}
log_in() { # pane, user
  sit_down "$1"
  type_in "$1" "$2"
  wait_for "$1" "Password" 10 || exit 1
  type_in "$1" "$(password "$2")"
  wait_for "$1" "parley>" 20 || exit 1
}

# ---- the start line, and the log-in

start_server 4 600 --ephemeral
check "the server reports that it follows the original's rules" grep -q "original's" "$dir/server.out"

log_in hans hans
sit_down yoda
type_in yoda yoda
wait_for yoda Password 10 || exit 1
mark yoda
type_in yoda "wise@!ma"
check "a prefix of the password is a wrong password" wait_for yoda "wrong" 10
wait_for yoda Password 10
type_in yoda "$(password yoda)"
check "and the right one logs yoda in" wait_for yoda "parley>" 20
check "hans sees that yoda is online" wait_for hans "yoda came online" 10

sit_down vader
type_in vader vader
for _ in 1 2 3; do
  wait_for vader Password 10 || exit 1
  mark vader
  type_in vader "not it"
  wait_for vader "rong" 10
done
check "the third wrong password locks log-ins and ends the client" wait_for vader "left with 1" 10
sit_down leia
type_in leia vader
wait_for leia Password 10 || exit 1
type_in leia "$(password vader)"
check "the right password is refused in another terminal too" wait_for leia "left with 1" 10
check "with the reason" wait_for leia "locked" 1
check "an unknown name is asked for its password and locked like a known one" bash -c \
  "printf 'nobody\nx\nx\nx\n' | npx parley 127.0.0.1 $port 2>&1 | tail -1 | grep -q locked"
for _ in $(seq 20); do # until the lock is over
  sit_down vader
  type_in vader vader
  wait_for vader Password 10 || exit 1
  type_in vader "$(password vader)"
  for _ in $(seq 100); do since vader | grep -qE "parley>|left with" && break; sleep 0.1; done
  since vader | grep -q "parley>" && break
done
check "vader can log in after the lock" wait_for vader "parley>" 1
log_in leia leia

sit_down luke
type_in luke yoda
wait_for luke Password 10 || exit 1
type_in luke "$(password yoda)"
check "a second log-in of yoda is refused" wait_for luke "logged in already" 10
check "and ends that client" wait_for luke "left with 1" 10

# ---- messages

mark hans yoda vader leia
type_in hans "message luke  \"who's\" there? \\o/  logout"
type_in hans "message yoda hello yoda"
check "a message arrives" wait_for yoda "hello yoda" 10
log_in luke luke
check "a message sent before the log-in is delivered, verbatim" wait_for luke " \"who's\" there? \\o/  logout" 10
check "the others see that luke is online" wait_for leia "luke came online" 10
type_in luke logout
wait_for luke "left with 0" 10
check "and that he logs out" wait_for leia "luke went offline" 10
log_in luke luke
type_in luke "message hans here again"
wait_for hans "here again" 10
check "a delivered message is not delivered again" bash -c \
  "[ \"\$(${tmux[*]@Q} capture-pane -p -J -S - -t luke | grep -c 'there? .*logout')\" -le 1 ]"

mark hans yoda vader luke leia
type_in yoda "broadcast may the force be with you"
for pane in hans vader luke leia; do
  check "$pane receives the broadcast" wait_for "$pane" "may the force be with you" 10
done

mark hans
type_in hans whoelse
for name in leia luke vader yoda; do check "whoelse lists $name" wait_for hans "$name" 10; done

# ---- errors

mark hans
type_in hans "whoelsesinc 10"
check "an unknown command is an error that suggests the closest name" wait_for hans "whoelsesince" 10
type_in hans "logoutxyz"
check "commands match whole words" wait_for hans "Error" 10
mark hans; type_in hans "message"; check "a message without arguments is refused" wait_for hans "Error" 10
mark hans; type_in hans "message hans me"; check "a message to oneself is refused" wait_for hans "Error" 10
mark hans; type_in hans "message Yoda hi"; check "user names are case-sensitive" wait_for hans "no user" 10
mark hans; type_in hans "whoelsesince x"; check "whoelsesince takes a number" wait_for hans "Error" 10
mark hans; type_in hans "whoelsesince -1"; check "that is not negative" wait_for hans "Error" 10
mark hans; type_in hans "unblock yoda"; check "a user who is not blocked cannot be unblocked" wait_for hans "Error" 10
mark hans; type_in hans "block hans"; check "a user cannot block himself" wait_for hans "Error" 10
mark hans; type_in hans "block nobody"; check "an unknown user cannot be blocked" wait_for hans "Error" 10

# ---- blocks

mark hans vader
type_in hans "block vader"
check "a block is confirmed" wait_for hans "vader is blocked" 10
check "the blocker goes offline for the blocked user" wait_for vader "hans went offline" 20
type_in vader "message hans join me"
check "a message of the blocked user is refused with the reason" wait_for vader "blocked you" 10
mark vader
type_in vader "whoelse"
check "whoelse of the blocked user lists others" wait_for vader "yoda" 10
check "but not the blocker" never vader "hans"
mark vader
type_in vader "broadcast I am your father"
check "a broadcast of the blocked user reaches others" wait_for luke "I am your father" 10
check "and vader reads that it did not reach everyone" wait_for vader "did not receive it" 10
type_in hans "message vader no"
check "the blocker can send messages" wait_for vader "no" 10
mark vader yoda
type_in hans "logout"
check "hans logs out" wait_for hans "left with 0" 10
check "others see that he is offline" wait_for yoda "hans went offline" 10
mark yoda
log_in hans hans
check "and that he is online again" wait_for yoda "hans came online" 10
check "the blocked user sees neither" never vader "· hans "
check "the blocked broadcast is not delivered later" never hans "I am your father"
mark hans vader
type_in hans "unblock vader"
check "an unblock is confirmed" wait_for hans "vader" 10
type_in vader "message hans we meet again"
check "and messages are delivered again" wait_for hans "we meet again" 10

# ---- an open conversation

mark hans yoda
type_in hans "/open yoda"
wait_for hans "yoda>" 10 || exit 1
type_in hans "private luke meet me at nine"
check "a line that may be meant as a command is not sent immediately" wait_for hans "nter again" 10
press hans C-u
type_in hans "logout"
check "nor is another one" wait_for hans "/logout" 10
press hans Enter
type_in hans "//help is a word"
check "//word sends /word" wait_for yoda "/help is a word" 10
check "Enter sends the line" wait_for yoda "hans → you: logout" 1
check "and the private line was not sent" never yoda "meet me"
mark hans; type_in hans "/nonsense"; check "an unknown /word is never sent" wait_for hans "Error" 10
type_in hans "/close"
wait_for hans "parley>" 10

# ---- a client that is killed, and whoelsesince

mark yoda leia
kill -KILL "$(pgrep -P "$("${tmux[@]}" display-message -p -t luke '#{pane_pid}')" -f parley | head -1)" 2>/dev/null
pkill -KILL -P "$("${tmux[@]}" display-message -p -t luke '#{pane_pid}')" 2>/dev/null
"${tmux[@]}" kill-session -t luke
check "a killed client is reported as offline" wait_for leia "luke went offline" 15
type_in leia "whoelsesince 600"
check "whoelsesince still lists its user" wait_for leia "luke" 10
mark leia; type_in leia "whoelsesince 99999999999999999999"; check "with any number" wait_for leia "luke" 10
mark leia; type_in leia "whoelsesince 0"
check "0 lists who is online" wait_for leia "yoda" 10
check "but not that user" never leia "luke"
check "a script logs in, runs a command and logs out" bash -c \
  "printf '%s\n' luke '$(password luke)' whoelse logout | npx parley 127.0.0.1 $port | grep -qx yoda"

for pane in hans yoda vader leia; do type_in "$pane" logout; wait_for "$pane" "left with 0" 10; done
check "SIGTERM ends the server with exit code 0" stop_server

# ---- time-out

port=
start_server 60 6 --ephemeral
log_in hans hans
log_in yoda yoda
mark hans yoda
for number in 1 2 3 4 5; do # yoda gives commands, and hans only receives
  type_in yoda "message hans are you there? $number"
  since yoda | grep -q "hans went offline" && break
  sleep 1.4
done
check "a user who gives no command is logged out, even while messages arrive" wait_for hans "left with 4" 15
check "and reads the reason" wait_for hans "logged out" 1
check "the others see a log-out" wait_for yoda "hans went offline" 10
stop_server

if [ $failed = 0 ]; then echo "passed"; else cat "$dir/server.log"; fi
exit $failed
