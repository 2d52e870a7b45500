# How to start, prepare, and look at each contestant. Read by `run`, which sets work, members, all_actions and load.
# A contestant has a server of its own: pid, port and directory stand in these tables.
declare -A pid=() port=()
pg_bin=/usr/lib/postgresql/15/bin

target_of() {
    case $1 in
    guerdon | floor) echo ndjson ;;
    redis*) echo redis ;;
    postgres) echo postgres ;;
    postgres-batch) echo postgres-batch ;;
    esac
}

# The arguments that lead the generator to a contestant.
where() { echo --target "$(target_of "$1")" --port "${port[$1]}" --socket "$work/$1"; }

# Whoever may run PostgreSQL, which root may not.
as_postgres=()
((EUID != 0)) || as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups)

free_port() {
    local candidate
    while true; do
        candidate=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null || break
    done
    echo "$candidate"
}

pg_query() { "${as_postgres[@]}" psql -X -q -At -v ON_ERROR_STOP=1 -h "$work/$1" -p 5432 -U peers peers "${@:2}"; }

# Starts a contestant's server on its directory, new or old, and returns when it answers.
start() {
    local name=$1 data=$work/$1 log=$work/$1.log deadline=$((SECONDS + 300))
    mkdir -p "$data"
    : >"$log"
    case $name in
    guerdon) "$guerdon" serve --data "$data/data" --init --port 0 >>"$log" 2>&1 </dev/null & ;;
    floor) "$build/floor" --data "$data" --members "$members" --actions "${all_actions[floor]}" >>"$log" 2>&1 </dev/null & ;;
    redis*)
        local sync=always
        [[ $name == redis ]] || sync=everysec
        port[$name]=${port[$name]:-$(free_port)}
        redis-server --bind 127.0.0.1 --port "${port[$name]}" --dir "$data" --save "" --appendonly yes \
            --appendfsync $sync --auto-aof-rewrite-percentage 0 --daemonize no >>"$log" 2>&1 </dev/null &
        ;;
    postgres*)
        port[$name]=5432 # names the socket in its directory; nothing listens on the network
        if [[ ! -e $data/data ]]; then
            ((EUID != 0)) || chown postgres "$data"
            "${as_postgres[@]}" "$pg_bin/initdb" -D "$data/data" -U peers --auth=trust -E UTF8 --locale=C.UTF-8 >>"$log"
            { cat "$here/postgres/settings.conf" && echo "unix_socket_directories = '$data'"; } >>"$data/data/postgresql.conf"
        fi
        "${as_postgres[@]}" "$pg_bin/postgres" -D "$data/data" >>"$log" 2>&1 </dev/null &
        ;;
    esac
    pid[$name]=$!
    until is_ready "$name"; do
        kill -0 "${pid[$name]}" 2>/dev/null && ((SECONDS < deadline)) || fail "$name did not start: $(tail -n 5 "$log")"
        sleep 0.01
    done
}

is_ready() {
    local name=$1 line
    case $name in
    guerdon | floor)
        line=$(grep -m 1 -o ': ready on .*' "$work/$name.log") || return 1
        port[$name]=${line##*:}
        ;;
    redis*) [[ $(redis-cli -p "${port[$name]}" ping 2>/dev/null) == PONG ]] ;;
    postgres*) "$pg_bin/pg_isready" -q -h "$work/$name" -p 5432 -U peers ;;
    esac
}

# A server and all its processes.
family() {
    local all=("$1") at=0 children
    while ((at < ${#all[@]})); do
        children=$(cat "/proc/${all[at]}/task/${all[at]}/children" 2>/dev/null || true)
        # shellcheck disable=SC2206
        all+=($children)
        ((at += 1))
    done
    echo "${all[@]}"
}

# Only the server that is measured runs; the others stand still.
freeze() { kill -STOP $(family "${pid[$1]}") 2>/dev/null || true; }
thaw() { kill -CONT $(family "${pid[$1]}") 2>/dev/null || true; }

# Ends a server as a power cut would, all its processes at once.
kill_hard() {
    kill -KILL $(family "${pid[$1]}") 2>/dev/null || true
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}

# Plan, board, members.
prepare() {
    local name=$1
    case $name in
    postgres*)
        "${as_postgres[@]}" "$pg_bin/createdb" -h "$work/$name" -p 5432 -U peers peers
        cat "$here"/postgres/{schema,action,batch,reads}.sql | pg_query "$name" -f -
        pg_query "$name" -c "INSERT INTO members SELECT n, CASE WHEN n > 0 THEN (n - 1) / 5 END
            FROM generate_series(0, $members - 1) AS n"
        pg_query "$name" -c "VACUUM ANALYZE" -c "CHECKPOINT"
        ;;
    redis*) "$load" members $(where "$name") --members "$members" >/dev/null ;;
    *)
        "$load" setup $(where "$name")
        "$load" members $(where "$name") --members "$members" >/dev/null
        ;;
    esac
}

# Before reads: statistics for the planner, which the other contestants do not need.
settle() {
    case $1 in
    postgres*) pg_query "$1" -c "VACUUM ANALYZE" ;;
    esac
}
