# shellcheck shell=bash disable=SC2154 # What scripts/compose-smoke is made of; it sets the options.

simulator=http://localhost:8090/simulator
clone_name=postduif-journey
live=postduif-journey-live
account=AC0123456789abcdef0123456789abcdef
token=5f1d3c7b9e8a4260b1c2d3e4f5061728
public=https://bot.journey.test

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }

begin() {
  if [ -z "${COMPOSE:-}" ]; then
    if command docker compose version >/dev/null 2>&1; then COMPOSE="docker compose"; else COMPOSE=docker-compose; fi
  fi
  # What is set on this machine must not count.
  unset SETTINGS_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES COMPOSE_FILE
  work=$(mktemp -d)
  clone=$work/$clone_name
  printed=$work/printed
  forget
  trap end EXIT
}

end() {
  local code=$?
  [ $code = 0 ] || { [ ! -f "$printed" ] || tail -20 "$printed"; show_why; } >&2 || true
  cd /
  forget
  rm -rf "$work"
  exit $code
}

show_why() {
  for container in $(command docker ps --all --quiet --filter "name=$clone_name"); do
    command docker ps --all --filter "id=$container" --format '== {{.Names}} {{.Status}}'
    command docker logs --tail=15 "$container" 2>&1
  done
}

# Removes both projects, also what an earlier run left.
forget() {
  local project=label=com.docker.compose.project
  for name in $clone_name $live; do
    command docker ps --all --quiet --filter "$project=$name" | xargs --no-run-if-empty docker rm --force --volumes
    command docker volume ls --quiet --filter "$project=$name" | xargs --no-run-if-empty docker volume rm
    command docker network ls --quiet --filter "$project=$name" | xargs --no-run-if-empty docker network rm
  done >/dev/null
}

# Compose as it is called on this machine, without a terminal and without a build where none is wanted.
docker() {
  if [ "$1" != compose ]; then command docker "$@"; return; fi
  shift
  local words=()
  for word in "$@"; do
    case $word in
      --build) [ "$build" = yes ] || word=--no-build ;;
      -T) continue ;;
    esac
    words+=("$word")
    [[ $word != exec && $word != run ]] || words+=(-T)
  done
  # shellcheck disable=SC2086 # several words
  $COMPOSE "${words[@]}"
}

# For `git pull`, also where what is cloned is on no branch.
follow_upstream() {
  git switch --quiet --force-create journey
  git config branch.journey.remote origin
  git config branch.journey.merge HEAD
}

# README.md names the programs as they are called without containers.
worker() { docker compose exec worker /postduif "$@" </dev/null; }
egress() { docker compose exec egress /postduif "$@" </dev/null; }
ingress() { docker compose exec ingress /postduif "$@" </dev/null; }

# The commands of a section of a page, of the runbook when not said: its Nth block.
commands_of() {
  awk -v title="$1" -v wanted="$2" '
    /^##+ / { inside = ($0 == "## " title || $0 == "### " title) }
    inside && /^ *```/ {
      if (open) { open = 0; next }
      if ($0 ~ /```sh$/) { open = 1; count++; indent = index($0, "`") - 1; next }
    }
    open && count == wanted { print substr($0, indent + 1) }' "${page:-deploy/README.md}"
}

# Runs a block of the runbook, changed by a sed command where names have to be filled in.
follow() {
  local block
  block=$(commands_of "$1" "$2" | sed "${3:-}")
  [ -n "$block" ] || { say "the runbook has no block $2 in \"$1\""; return 1; }
  eval "$block" >"$printed" 2>&1
  say "followed: $1, $2"
}

# The same for commands of which some have to fail here.
follow_past_failures() {
  set +e
  follow "$@"
  set -e
}

# Whether the last block printed this.
told() { grep -q -- "$1" "$printed" || { say "nobody said $1"; return 1; }; }

same() { [ "$2" = "$3" ] || { say "$1: $2 and not $3"; return 1; }; }

# Tries a command once a second, for at most so many seconds.
within() {
  local patience=$1 start=$SECONDS; shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS - start > patience)); then say "gave up waiting for: $*"; return 1; fi
    sleep 1
  done
}

# The name of the project that runs: that of the clone's folder, until there is an .env.
project() { sed -n 's/^COMPOSE_PROJECT_NAME=//p' .env 2>/dev/null | grep . || echo $clone_name; }

containers() {
  command docker ps --quiet --filter "label=com.docker.compose.project=$(project)" \
    --filter "label=com.docker.compose.service=$1"
}

# The images that a service runs on.
image_of() { containers "$1" | xargs docker inspect --format '{{.Config.Image}}' | sort --unique; }

healthy() {
  [ "$(command docker ps --quiet --filter "label=com.docker.compose.project=$(project)" --filter health=healthy | wc -l)" = "$1" ]
}

# Puts NAME=value into a settings file, in the place of the line that shows NAME.
set_in() {
  local file=$1 name=${2%%=*}
  if grep -qE "^#?$name=" "$file"; then sed -i -E "s|^#?$name=.*|$2|" "$file"; else echo "$2" >>"$file"; fi
}

# Changes what the simulator knows of us as a provider.
provider_has() {
  for setting in "$@"; do set_in deploy/compose/local.env "$setting"; done
}

# Lets a customer write, and waits for so many replies to that number in all.
converse() {
  local provider=$1 number=$2 replies=$3
  write "$provider" "$number" "Ik zoek een Volkswagen Golf uit $((2010 + replies))"
  hear "$number" "$replies"
  say "$provider: $number was answered"
}

write() {
  local body="{\"provider\":\"$1\",\"from\":\"$2\",\"text\":\"$3\",\"retries\":20,\"retry_delay_ms\":1000}"
  [[ $(curl -fsS --json "$body" "$simulator/messages") == *'"status":20'* ]] || { say "the webhook of $1 was refused"; return 1; }
}

hear() {
  local answer
  answer=$(curl -fsS "$simulator/sent/wait?to=%2B${1#+}&count=$2&timeout_ms=60000")
  [[ $answer == *'"complete":true'* ]] || { say "$1 got no answer"; return 1; }
}

# Ten customers, one a second.
keep_writing() {
  for last in 0 1 2 3 4 5 6 7 8 9; do
    write twilio "+3160000002$last" "Ik zoek een Opel Corsa"
    sleep 1
  done
}

# Twilio refuses the next message to this number.
refuse_once() {
  local fault='{"kind":"error","status":400,"code":21211}'
  curl -fsS --json "{\"provider\":\"twilio\",\"endpoint\":\"send\",\"match\":{\"to\":\"$1\"},\"times\":1,\"fault\":$fault}" \
    "$simulator/faults" >/dev/null
}

letter_waits() { egress dead-letters list | grep -E '^[0-9]+/'; }

# The id of the newest matter of a kind: handovers, leads, appointments.
matter() { worker "$1" list --json | tail -1 | grep -oE '"id":"[^"]+"' | head -1 | cut -d'"' -f4; }
matter_waits() { [ -n "$(matter "$1")" ]; }

contacts_of() {
  docker compose exec postgres psql -U postduif -d postduif --tuples-only --no-align \
    --command "select count(distinct contact_id) from contact_addresses where address like '%${1#+}%'"
}

# What the containers hold.
memory() {
  local line
  command docker ps --quiet --filter "label=com.docker.compose.project=$(project)" |
    xargs docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' |
    while read -r line; do say "memory: ${line#*_}"; done
}

nobody_twice() {
  local stats
  stats=$(curl -fsS "$simulator/stats")
  [[ ! $stats =~ \"duplicates\":[1-9] ]] || { say "somebody was answered twice: $stats"; return 1; }
  say "nobody was answered twice"
}

targets_are_up() {
  [ "$(curl -fsS 'http://localhost:9090/api/v1/query?query=count(up==1)' | grep -oE '"[0-9]+"\]' | tr -dc 0-9)" = "$1" ]
}

has_trace() { curl -fsS 'http://localhost:16686/api/traces?service=egress&limit=1' | grep -q '"traceID"'; }
