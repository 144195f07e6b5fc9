# Part of examples.sh, for when all three example clients are built: they and the terminal client have one conversation.
# Four users, each with another program, send broadcasts and direct messages, and each user gets exactly the own messages.

declare -A input pid shown
tmux=(tmux -L "parley-examples-$$" -f /dev/null)

screen() { "${tmux[@]}" capture-pane -p -J -S - -t luke; }
text_of() { if [ "$1" = luke ]; then screen; else cat "${shown[$1]}"; fi; }

start_client() { # user, command …
  local user=$1 fd; shift
  shown[$user]=$dir/$user.talk
  mkfifo "$dir/$user.in"
  # Close the other users' inputs in this process: an input ends only when no process has it open.
  (for fd in "${input[@]}"; do exec {fd}>&-; done
   PARLEY_PASSWORD=$(password "$user") exec "$@" --talk <"$dir/$user.in" >"${shown[$user]}" 2>&1) &
  pid[$user]=$!
  exec {fd}>"$dir/$user.in"
  input[$user]=$fd
}

says() { # user, words
  if [ "$1" = luke ]; then "${tmux[@]}" send-keys -t luke -l -- "$2"; "${tmux[@]}" send-keys -t luke Enter
  else echo "$2" >&"${input[$1]}"; fi
}

reads() { # user, words
  for _ in $(seq 200); do text_of "$1" | grep -qF -- "$2" && return 0; sleep 0.1; done
  echo "FAIL  conversation: $1 does not read \"$2\":"; text_of "$1"; failed=1
}

never_reads() { # user, words: call it after a later message has arrived
  text_of "$1" | grep -qF -- "$2" || return 0
  echo "FAIL  conversation: $1 reads \"$2\":"; text_of "$1"; failed=1
}

converse() {
  local before=$failed user order
  "${tmux[@]}" new-session -d -s luke -x 100 -y 60 "HOME=$dir node bin/parley.js --as luke; echo left with \$?; cat"
  reads luke "parley>"
  start_client yoda "$dir/go-client" -address "localhost:$port" -cert "$dir/server.pem" -user yoda
  start_client vader "$dir/python/bin/python" examples/python/main.py --address "localhost:$port" --cert "$dir/server.pem" --user vader
  start_client leia "$dir/rust/debug/parley-example" --address "localhost:$port" --cert "$dir/server.pem" --user leia
  for user in yoda vader leia; do reads "$user" "caught up"; done

  says luke "/broadcast is everyone here?"
  for user in yoda vader leia; do reads "$user" "luke: is everyone here?"; done
  says yoda "here from Go, I am. 你好"
  for user in luke vader leia; do reads "$user" "here from Go, I am. 你好"; done
  says vader "Python is here."
  for user in luke yoda leia; do reads "$user" "Python is here."; done
  says leia "So is Rust."
  for user in luke yoda vader; do reads "$user" "So is Rust."; done

  says yoda "@vader between Go and Python"
  reads vader "yoda: between Go and Python"
  says vader "@leia between Python and Rust"
  reads leia "vader: between Python and Rust"
  says leia "@luke between Rust and the terminal"
  reads luke "between Rust and the terminal"
  says luke "/open yoda"
  reads luke "yoda>"
  says luke "between the terminal and Go"
  reads yoda "luke: between the terminal and Go"

  # One more broadcast: a direct message for another user would have arrived before it.
  says leia "That was that."
  for user in luke yoda vader; do reads "$user" "That was that."; done
  never_reads leia "between Go and Python"; never_reads luke "between Go and Python"
  never_reads yoda "between Python and Rust"; never_reads luke "between Python and Rust"
  never_reads yoda "between Rust and the terminal"; never_reads vader "between Rust and the terminal"
  never_reads vader "between the terminal and Go"; never_reads leia "between the terminal and Go"

  # Every user sees the broadcasts in the same order; each client reports its own as stored.
  for user in luke yoda vader leia; do
    order=$(text_of "$user" | grep -oE 'is everyone here|here from Go|Python is here|So is Rust|That was that' | awk '!seen[$0]++' | tr '\n' '|')
    case $user in
      luke) expected='is everyone here|here from Go|Python is here|So is Rust|That was that|' ;;
      yoda) expected='is everyone here|Python is here|So is Rust|That was that|' ;;
      vader) expected='is everyone here|here from Go|So is Rust|That was that|' ;;
      leia) expected='is everyone here|here from Go|Python is here|' ;;
    esac
    [ "$order" = "$expected" ] || { echo "FAIL  conversation: the order that $user reads: $order"; failed=1; }
  done
  for user in yoda:2 vader:2 leia:3; do
    [ "$(grep -c 'stored as number' "${shown[${user%:*}]}")" = "${user#*:}" ] || { echo "FAIL  conversation: what ${user%:*} has stored:"; cat "${shown[${user%:*}]}"; failed=1; }
  done

  # Each client ends when its input ends, and the terminal client on Ctrl-D.
  for user in yoda vader leia; do
    exec {input[$user]}>&-
    wait "${pid[$user]}" || { echo "FAIL  conversation: $user ends badly:"; cat "${shown[$user]}"; failed=1; }
  done
  "${tmux[@]}" send-keys -t luke C-d
  reads luke "left with 0"
  "${tmux[@]}" kill-server
  [ "$failed" = "$before" ] && echo "ok    one conversation of Go, Python, Rust and the terminal"
}
