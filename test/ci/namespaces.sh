#!/usr/bin/env bash
# Private chat between machines: three network namespaces are a server and two users. Without a route between the users the
# chat is relayed. With a route that both users allow it is direct. With a route and --relay, no packet uses the route. If
# one program is killed or stops responding, the other one reports it. Needs root.
set -u
cd "$(dirname "$0")/../.." || exit 2
as_root=
if [ "$(id -u)" != 0 ]; then
  if sudo -n true 2>/dev/null; then as_root="sudo -n"; else echo "skipped: network namespaces need root"; exit 0; fi
fi
command -v ip >/dev/null || { echo "ip (iproute2) is needed"; exit 2; }
dir=$(mktemp -d)
tag=p$$
S=$tag-s A=$tag-a B=$tag-b
export PATH="$PWD/node_modules/.bin:$PATH"
unset XDG_DATA_HOME XDG_CONFIG_HOME PARLEY_HOME
export HOME=$dir
failed=0

cleanup() {
  for ns in $S $A $B; do
    for pid in $($as_root ip netns pids $ns 2>/dev/null); do $as_root kill -KILL "$pid" 2>/dev/null; done
    $as_root ip netns del $ns 2>/dev/null
  done
  $as_root rm -rf "$dir"
}
trap cleanup EXIT

check() { # what, command …
  local what=$1; shift
  if "$@"; then echo "ok    $what"; else echo "FAIL  $what"; failed=1; fi
}
inside() { local ns=$1; shift; $as_root ip netns exec "$ns" "$@"; }
wire() { # namespace, interface, address, namespace, interface, address; returns when both ends run
  $as_root ip link add "$2" netns "$1" type veth peer name "$5" netns "$4" || exit 2
  # No IPv6, so that only packets of the programs are counted.
  for end in "$1 $2 $3" "$4 $5 $6"; do
    read -r ns link address <<<"$end"
    inside "$ns" sysctl -qw "net.ipv6.conf.$link.disable_ipv6=1" 2>/dev/null
    inside "$ns" ip addr add "$address/24" dev "$link"
    inside "$ns" ip link set "$link" up
  done
  # The kernel reports up to a second later that a link is up; until then programs do not see its address.
  runs "$1" "$2" && runs "$4" "$5"
}
runs() { # namespace, interface: waits until programs in the namespace see the interface
  for _ in $(seq 50); do
    inside "$1" node -e "process.exit('$2' in require('node:os').networkInterfaces() ? 0 : 1)" && return 0
    sleep 0.1
  done
  echo "$2 is not up"
  exit 2
}
packets() { # namespace, interface
  inside "$1" cat "/sys/class/net/$2/statistics/tx_packets"
}
wait_for() { # file, text, seconds
  for _ in $(seq $(($3 * 10))); do grep -qF -- "$2" "$1" 2>/dev/null && return 0; sleep 0.1; done
  echo "--- $1 does not have \"$2\":"; cat "$1"
  return 1
}
parley() { # namespace, user, words …
  local ns=$1 user=$2; shift 2
  inside "$ns" env PARLEY_HOME="$dir/$user" HOME="$dir" PATH="$PATH" node bin/parley.js "$@"
}

for ns in $S $A $B; do $as_root ip netns add $ns || exit 2; inside $ns ip link set lo up; done
wire $S sa 10.77.1.1 $A as 10.77.1.2
wire $S sb 10.77.2.1 $B bs 10.77.2.2

inside $S env HOME="$dir" PATH="$PATH" node bin/parley-server.js --data "$dir/data" --listen 0.0.0.0:12000 \
  --credentials docs/credentials.txt >"$dir/server.out" 2>"$dir/server.log" &
wait_for "$dir/server.out" ready 20 || exit 1
sed -n 's/^hans //p' docs/credentials.txt | parley $A hans login hans --server 10.77.1.1:12000 --accept-new --password-stdin || exit 1
sed -n 's/^yoda //p' docs/credentials.txt | parley $B yoda login yoda --server 10.77.2.1:12000 --accept-new --password-stdin || exit 1
check "the two users have no route to each other" bash -c "! $as_root ip netns exec $A ip route get 10.77.2.2 2>/dev/null"

chat() { # name, path of hans, path of yoda: leaves hans reading $dir/NAME.h.in and yoda reading $dir/NAME.y.in
  mkfifo "$dir/$1.h.in" "$dir/$1.y.in"
  parley $B yoda private hans --wait 30s --private-path "$3" <"$dir/$1.y.in" >"$dir/$1.y.out" 2>"$dir/$1.y.err" &
  exec 8>"$dir/$1.y.in"
  parley $A hans private yoda --wait 30s --private-path "$2" <"$dir/$1.h.in" >"$dir/$1.h.out" 2>"$dir/$1.h.err" 8>&- &
  exec 7>"$dir/$1.h.in"
  wait_for "$dir/$1.h.err" "Private chat with yoda" 40 && wait_for "$dir/$1.y.err" "Private chat with hans" 10 || return 1
  for line in $(seq 20); do echo "from hans $line" >&7; echo "from yoda $line" >&8; done
  wait_for "$dir/$1.y.out" "from hans 20" 10 && wait_for "$dir/$1.h.out" "from yoda 20" 10 || return 1
  [ "$(grep -c "from hans" "$dir/$1.y.out")" = 20 ] && [ "$(grep -c "from yoda" "$dir/$1.h.out")" = 20 ]
}
goes() { # name, the words for its path, which both users have to see
  local file
  for file in "$dir/$1.h.err" "$dir/$1.y.err"; do
    grep -qF -- "$2" "$file" || { echo "--- $file does not have \"$2\":"; cat "$file"; return 1; }
  done
}
pid_of() { # namespace: the process id of parley private in it
  $as_root ip netns pids "$1" | while read -r pid; do
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "^node bin/parley.js private" && echo "$pid"
  done
}
hang_up() { # name: ends both inputs, that of hans first
  exec 7>&-
  echo "yoda goes on" >&8
  wait_for "$dir/$1.h.out" "yoda goes on" 10 || return 1
  exec 8>&-
  wait_for "$dir/$1.y.err" "hans has finished. The private chat has ended." 10 && wait_for "$dir/$1.h.err" "yoda has finished. The private chat has ended." 10
}

check "without a route the chat is relayed" chat apart direct direct
check "and both users see that" goes apart "through the server"
check "it ends once both inputs have ended" hang_up apart

wire $A ab 10.77.3.1 $B ba 10.77.3.2
mac_b=$(inside $B cat /sys/class/net/ba/address)
mac_a=$(inside $A cat /sys/class/net/ab/address)
inside $A ip neigh replace 10.77.3.2 lladdr "$mac_b" dev ab nud permanent
inside $B ip neigh replace 10.77.3.1 lladdr "$mac_a" dev ba nud permanent

before="$(packets $A ab) $(packets $B ba)"
check "with a route and --relay the chat is relayed" chat relay relay direct
check "and both users see that" goes relay "through the server"
check "it ends" hang_up relay
check "no packet used the route" [ "$(packets $A ab) $(packets $B ba)" = "$before" ]

check "with a route that both users allow the chat is direct" chat straight direct direct
check "and both users see that" goes straight "directly from device to device"
check "its packets used the route" [ "$(packets $A ab)" -gt "${before%% *}" ]

kill_one() { # file of errors to read, signal, namespace of the program to signal, seconds to wait
  local pid; pid=$(pid_of "$3")
  [ -n "$pid" ] || return 1
  $as_root kill -"$2" "$pid"
  wait_for "$dir/$1" "is lost" "$4"
}
check "killing one program is reported by the other" kill_one straight.h.err KILL $B 5
exec 7>&- 8>&-
wait_for "$dir/straight.h.err" "private chat has ended" 5

check "a relayed chat again" chat killed relay relay
check "killing the program that asked is reported by the other" kill_one killed.y.err KILL $A 5
exec 7>&- 8>&-

check "a direct chat again" chat silent direct direct
check "and both users see that" goes silent "directly from device to device"
check "a program that stops responding is reported within 45 s" kill_one silent.h.err STOP $B 45
exec 7>&- 8>&-

# The original's command line, HOST PORT: both users only say with whom they want to chat.
mkfifo "$dir/o.y.in" "$dir/o.h.in"
parley $B yoda-o 10.77.2.1 12000 --accept-new <"$dir/o.y.in" >"$dir/o.y.out" 2>&1 7>&- 8>&- &
exec 7>"$dir/o.y.in"
parley $A hans-o 10.77.1.1 12000 --accept-new <"$dir/o.h.in" >"$dir/o.h.out" 2>&1 7>&- 8>&- &
exec 8>"$dir/o.h.in"
sed -n 's/^yoda /yoda\n/p' docs/credentials.txt >&7
sed -n 's/^hans /hans\n/p' docs/credentials.txt >&8
original() {
  wait_for "$dir/o.y.out" "Private chats go directly from device to device" 20 && wait_for "$dir/o.y.out" "Logged in as yoda" 5 &&
    wait_for "$dir/o.h.out" "Logged in as hans" 20 || return 1
  echo "startprivate yoda" >&8
  wait_for "$dir/o.h.out" "Private chat with yoda: directly from device to device" 10 || return 1
  before=$(packets $A ab)
  echo "private yoda straight to you" >&8
  wait_for "$dir/o.y.out" "hans (private): straight to you" 5
}
check "the original's command line chats straight from client to client, after saying so" original
check "its packets used the route" [ "$(packets $A ab)" -gt "$before" ]
echo logout >&7
check "a log-out is reported by the other" wait_for "$dir/o.h.out" "yoda has logged out. The private chat has ended." 5
exec 7>&- 8>&-

[ "$failed" = 0 ]
