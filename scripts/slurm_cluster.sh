#!/usr/bin/env bash
# A Slurm cluster of two nodes, w1 and w2, on this machine: for tests. All that it writes
# is in DIR, and it leaves a Slurm or munge that runs already alone.
#
#   slurm_cluster.sh start DIR      installs Slurm and munge if need be; use the cluster with
#                                   SLURM_CONF=DIR/slurm.conf
#   slurm_cluster.sh node DIR w2    starts a node that was killed
#   slurm_cluster.sh stop DIR
set -euo pipefail
usage="usage: slurm_cluster.sh start|stop DIR, or node DIR NAME"
action=${1:?$usage} dir=${2:?$usage}
export SLURM_CONF=$dir/slurm.conf

fail() { echo "slurm_cluster: $*" >&2; exit 1; }

need() {
  command -v slurmctld slurmd sbatch munged >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "there is no Slurm: install slurm-wlm and munge"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq slurm-wlm munge >/dev/null ||
    fail "slurm-wlm and munge could not be installed"
}

# A node's host name is its own where the kernel allows that, as on a cluster: a program
# there can't tell whether a process of the other node lives.
node() {
  local own=(unshare --uts sh -c 'hostname "$0" && exec "$@"' "$1")
  "${own[@]}" true 2>/dev/null || own=()
  "${own[@]}" slurmd -D -f "$SLURM_CONF" -N "$1" >>"$dir/$1.out" 2>&1 </dev/null &
}

# A downed node is noticed, and its job started on the other, in seconds and not minutes.
configure() {
  local host port
  host=$(hostname -s)
  port=$((20000 + $$ % 10000)) # two tests can run at a time
  cat >"$SLURM_CONF" <<CONF
ClusterName=eegprune
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SchedulerParameters=sched_interval=2,batch_sched_delay=0,sched_min_interval=0
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/jobs.txt
ReturnToService=1
SlurmdTimeout=6
KillWait=10
MinJobAge=600
SlurmctldPort=$port
NodeName=w1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1 RealMemory=2000 Gres=gpu:1 State=UNKNOWN
NodeName=w2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1 RealMemory=2000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
CONF
  # Jobs that ask for a GPU are given one that is none.
  echo "NodeName=w[1-2] Name=gpu File=/dev/null" >"$dir/gres.conf"
}

start() {
  need
  mkdir -p "$dir/munge" "$dir/state"
  configure
  # With a key and a socket of its own munge needs none of the system's.
  head -c 128 /dev/urandom >"$dir/munge/key"
  chmod 600 "$dir/munge/key"
  munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" 2>"$dir/munge/out" || fail "munged: $(cat "$dir/munge/out")"
  slurmctld -f "$SLURM_CONF" 2>"$dir/slurmctld.out" || fail "slurmctld: $(cat "$dir/slurmctld.out")"
  node w1
  node w2
  for _ in $(seq 60); do
    if [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" = 2 ]; then return; fi
    sleep 0.5
  done
  fail "the nodes did not come up; their logs are in $dir"
}

stop() {
  local file pid
  scancel --user=root 2>/dev/null && sleep 1 || true
  for file in "$dir"/slurmd.*.pid "$dir"/slurmctld.pid "$dir"/munge/pid; do
    [ -s "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.2
    done
  done
}

case $action in
  start) start ;;
  node) node "${3:?$usage}" ;;
  stop) stop ;;
  *) fail "$usage" ;;
esac
