# Reads logs on their host. What travels is this without comments and indentation, then calls of `look`: see script.py;
# what it answers is described in frames.py. POSIX sh, with the tools of GNU, BusyBox and BSD.
# A redirection that fails must not be on `exec`: it would end the shell.
exec 2>/dev/null </dev/null
LC_ALL=C
export LC_ALL
newline='
'
stats='gnu bsd ls' flags=skip_bytes,count_bytes,fullblock blocks=
say() { printf '\n%s %s\n' "$token" "$*"; }

# look RUN LIMIT SHARE PATH...: what is new in files, of which `cursor` tells how far they are known. Those in `seen` are
# passed over, those in `hung` are not touched. Before what may hang it says what that is.
look() {
  run=$1 limit=$2 share=$3
  shift 3
  if [ $# -gt $most ]; then
    say at $run
    IFS=$newline; set -f
    set -- $(newest "$@")
    set +f; unset IFS
  fi
  [ $# -gt 0 ] || return
  fair=$((share / $#))
  [ $limit -le $fair ] || limit=$fair
  for path; do
    case $path in *"$newline"*) continue ;; esac
    case $seen in *"$newline$path$newline"*) continue ;; esac
    seen=$seen$path$newline
    case $hung in *"$newline$path$newline"*) say refused $run hangs "$path"; continue ;; esac
    say at $run "$path"
    [ -f "$path" ] && { send; } 3<"$path" || refuse
  done
}

newest() {
  unset IFS
  for stat in $stats; do
    for path; do
      case $path in *"$newline"*) ;; *) printf '%s\0' "$path" ;; esac
    done | dates | grep . && break
  done | sort -rn | head -n $most | cut -d ' ' -f 2-
}

dates() {
  case $stat in
  gnu) xargs -0 stat -L -c '%Y %n' ;;
  bsd) xargs -0 stat -L -f '%m %N' ;;
  ls) xargs -0 ls -dLtr | awk '{ print NR, $0 }' ;;
  esac
}

send() {
  measure || return
  set -- $facts
  cursor "$run:$path"
  how=other start=0 count=0 real=
  if [ "$known" = $1 ] && [ $2 -ge $offset ]; then
    how=on start=$((offset - kept))
    count=$(($2 - start))
    [ $count -le $((kept + limit)) ] || count=$((kept + limit))
    [ $kept -gt 0 ] || real=$(readlink -f "$path")
  fi
  give
}

give() {
  say file $run $how $facts $start $count "$path"
  [ $count -eq 0 ] || copy || return
  say end "$real"
}

# Of the file on descriptor 3: device:inode, size, mtime in whole seconds and as exact as it can be told.
measure() {
  for stat in $stats; do
    case $stat in
    gnu) facts=$(stat -L -c '%d:%i %s %Y %.Y' /proc/self/fd/3) ;;
    bsd) facts=$(stat -L -f '%d:%i %z %m %Fm' <&3) ;;
    ls) facts=$(listed) ;;
    esac && stats=$stat && return
  done
  return 1
}

listed() {
  set -- $(ls -dinL "$path") && mtime=$(date -r "$path" +%s) && echo "0:$1 $6 $mtime $mtime"
}

# Of the file on descriptor 3: `count` bytes from `start` on.
copy() {
  if [ ! "$blocks" ]; then
    dd bs=64k iflag=$flags skip=$start count=$count status=none <&3 && return
    # A dd that knows its flags has met a disk that fails.
    dd iflag=$flags count=0 && return 1
    blocks=yes
  fi
  skip=$((start % 65536))
  dd bs=64k skip=$((start / 65536)) count=$(( (skip + count + 65535) / 65536 )) <&3 | tail -c +$((skip + 1)) | head -c $count
}

refuse() {
  if [ -d "$path" ]; then why=directory
  elif [ -f "$path" ] && [ -r "$path" ]; then why=failed
  elif [ -f "$path" ]; then why=denied
  elif [ -e "$path" ]; then why=special
  else
    case $(ls -dL "$path" 2>&1) in *'Permission denied'*) why=denied ;; *) why=missing ;; esac
  fi
  say refused $run $why "$path"
}
