# Looks whether processes are there. It travels behind read.sh, only where a run names one. Slurm's programs may be where
# the path of a shell without a login does not lead, and wait for a controller that does not answer.
PATH=$PATH:/usr/local/bin:/opt/slurm/bin:/usr/local/slurm/bin
SLURM_TIME_FORMAT=%s
export SLURM_TIME_FORMAT
over='\|(BOOT_FAIL|CANCELLED.*|COMPLETED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|REVOKED|TIMEOUT)$'
deaf= list=

# by_pid_file NUMBER PATH: the process whose number stands in a file: with its start, the seconds that the host has been up
# and the mtime of the file, by which another that got its number later is known.
by_pid_file() {
  run=$1 path=$2
  say at $run
  [ -f "$path" ] && { noted; } 3<"$path" || refuse
}

noted() {
  measure || return
  set -- $facts
  written=$3 pid= start= up=
  read -r pid rest <&3
  case $pid in ''|*[!0-9]*) say process $run odd; return 0 ;; esac
  if [ -d /proc/self ]; then of_proc; else of_ps; fi
  if [ "$start" ]; then say process $run pid $pid $start $up $written; else say process $run none $pid; fi
}

of_proc() {
  facts=$(cat /proc/$pid/stat)
  set -- ${facts##*') '}
  case $1 in ''|[ZXx]) return ;; esac
  start=${20}
  read -r up rest </proc/uptime
}

of_ps() {
  set -- $(ps -p $pid -o stat= -o lstart=)
  case $1 in ''|Z*) return ;; esac
  shift
  start=$(echo "$@" | tr ' ' _) up=-
}

# by_command NUMBER EXPRESSION: the processes whose command line matches. The list is complete before it is searched.
by_command() {
  run=$1
  say at $run
  [ "$list" ] || list=$(ps -A -ww -o pid= -o args= || each_command)
  [ "$list" ] || { say process $run unlisted; return; }
  set -- $(printf '%s\n' "$list" | grep -e "^ *[0-9][0-9]* .*$2" | awk '{ print $1 }')
  if [ $# -gt 0 ]; then say process $run pids $# "$(echo "$@" | cut -d ' ' -f 1-64)"; else say process $run none; fi
}

each_command() {
  for folder in /proc/[0-9]*; do
    printf '\n%s ' "${folder#/proc/}"
    cat "$folder/cmdline"
  done | tr '\0' ' '
}

# by_slurm NUMBER OPTION JOBS: the jobs that the option names; if none is there any more, how JOBS ended.
by_slurm() {
  run=$1
  say at $run
  [ ! "$deaf" ] || { say process $run deaf; return; }
  type squeue >/dev/null || { say process $run lacking; return; }
  rows=$(soon squeue --noheader --states=all --format='%i|%T' "$2" 2>&1)
  case $?:$rows in
  0:*) ;;
  124:*|137:*) deaf=yes; say process $run deaf; return ;;
  *'Invalid job id'*) rows= ;;
  *) say process $run failed "$(joined)"; return ;;
  esac
  say process $run jobs "$(joined)"
  printf '%s\n' "$rows" | grep . | grep -qvE "$over" && return
  [ "$3" ] && type sacct >/dev/null || return
  rows=$(soon sacct --noheader --parsable2 --allocations --format=JobID,State,ExitCode,End --jobs="$3") &&
    say process $run ended "$(joined)"
}

soon() {
  if type timeout >/dev/null; then timeout -s KILL 3 "$@"; else "$@"; fi
}

joined() { printf '%s' "$rows" | tr '\n' ';' | cut -c 1-16000; }
