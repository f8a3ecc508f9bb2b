# Finds where logs go on that were rotated, truncated or replaced. It travels behind read.sh, only when one was.

# trace NUMBER INODE START COUNT REAL PATH...: the files that may hold what has not been read, each with the bytes that
# are to tell: each PATH, in the folder of the path REAL those with the inode, and those named after REAL.
trace() {
  run=$1 inode=$2 start=$3 bytes=$4 real=$5
  shift 5
  say at $run
  folder=${real%/*}
  named=$(newest "$real"[.-]*)
  moved=$(find "$folder/." ! -name . -prune -type f -inum $inode || ls -ai "$folder/" | sed -n "s/^ *$inode //p")
  IFS=$newline; set -f
  for name in $moved; do set -- "$@" "$folder/${name##*/}"; done
  set -- "$@" $named
  set +f; unset IFS
  how=kin real=
  for path; do
    [ -f "$path" ] && { show; } 3<"$path"
  done
}

show() {
  measure || return
  set -- $facts
  count=$bytes
  [ $2 -ge $((start + count)) ] || count=0
  give
}

# text NUMBER START PATH: near where the text of a file begins that is filled with NULs from START on.
text() {
  run=$1 low=$2 path=$3
  say at $run
  [ -f "$path" ] && { measure; } 3<"$path" || return
  set -- $facts
  high=$2 start=$low
  blank || high=$low
  while [ $((high - low)) -gt 65536 ]; do
    start=$(( (low + high) / 2 ))
    if blank; then low=$start; else high=$start; fi
  done
  how=text start=$low count=0 real=
  give
}

blank() {
  count=512
  [ $({ copy; } 3<"$path" | tr -d '\0' | wc -c) -eq 0 ]
}
